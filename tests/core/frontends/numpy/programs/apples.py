apple = 100
apple_num = 2
orange = 150
orange_num = 3
tax = 1.1

apple_price = apple * apple_num
orange_price = orange * orange_num
all_price = apple_price + orange_price
price = all_price * tax

dprice = 1
dall_price = dprice * tax
dtax = dprice * all_price
dorange_price = dall_price
dapple_price = dall_price
dapple = dapple_price * apple_num
dapple_num = dapple_price * apple
dorange = dorange_price * orange_num
dorange_num = dorange_price * orange
