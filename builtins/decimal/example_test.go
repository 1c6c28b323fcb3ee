package decimal_test

import (
	"fmt"

	"github.com/starmanage/starmanage/builtins/decimal"
)

// A NUMERIC(10, 2) column's value, however the driver gave it.
func ExampleDecimal_Quantize() {
	fromText, err := decimal.Parse("19.9")
	if err != nil {
		fmt.Println(err)
		return
	}
	price, err := fromText.Quantize(2)
	fmt.Println(price, err)
	fmt.Println(decimal.FromScaled(1990, 2).Compare(price))
	// Output:
	// 19.90 <nil>
	// 0
}
