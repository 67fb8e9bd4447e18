class Mul:
    def __init__(self):
        self.x = None
        self.y = None

    def forward(self, x, y):
        self.x = x
        self.y = y
        return x * y

    def backward(self, dout):
        dx = dout * self.y
        dy = dout * self.x
        return dx, dy


class Add:
    def forward(self, x, y):
        return x + y

    def backward(self, dout):
        dx = dout * 1
        dy = dout * 1
        return dx, dy


apple, orange = 100, 150
apple_num, orange_num = 2, 3
tax = 1.1
mul_apple, mul_orange, add, mul_tax = Mul(), Mul(), Add(), Mul()

apple_price = mul_apple.forward(apple, apple_num)
orange_price = mul_orange.forward(orange, orange_num)
all_price = add.forward(apple_price, orange_price)
price = mul_tax.forward(all_price, tax)

dall_price, dtax = mul_tax.backward(1)
dapple_price, dorange_price = add.backward(dall_price)
dorange, dorange_num = mul_orange.backward(dorange_price)
dapple, dapple_num = mul_apple.backward(dapple_price)
