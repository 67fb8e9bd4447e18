"""Everything that a person sees: tables, the application, the command line."""
