# A word that does not learn: solved by commands alone.

check
expect error
limit rows
limit table

# Row 0 belongs to two words of the sentence.
goto end
print rows.grad[0]
print rows.grad[3]
print table.grad[0]
accuse rows.rows<-table last
runs 1
assert close(table.grad[0], rows.grad[0] + rows.grad[3])
