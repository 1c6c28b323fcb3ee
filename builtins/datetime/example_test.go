package datetime_test

import (
	"fmt"
	"time"

	"github.com/starmanage/starmanage/builtins/datetime"
)

// A chunk of rows keeps its timestamps in one slice and converts a cell when it is touched.
func ExampleDateTime_SetTimestamp() {
	cells := make([]datetime.DateTime, 2)
	for i, text := range []string{"2026-01-02 03:04:05", "2026-01-02 03:04:05.678"} {
		if err := cells[i].SetTimestamp(text, datetime.UTC()); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(&cells[0], &cells[1])
	// Output: 2026-01-02 03:04:05+00:00 2026-01-02 03:04:05.678000+00:00
}

func ExampleAt() {
	rome, err := datetime.LoadZone("Europe/Rome")
	if err != nil {
		fmt.Println(err)
		return
	}
	dt, err := datetime.At(time.Date(2026, 10, 25, 1, 30, 0, 0, time.UTC), rome)
	fmt.Println(dt, dt.Repr(), err)
	fmt.Println(dt.Time().UTC())
	// Output:
	// 2026-10-25 02:30:00+01:00 datetime.datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=zoneinfo.ZoneInfo(key='Europe/Rome')) <nil>
	// 2026-10-25 01:30:00 +0000 UTC
}

func ExampleParseDate() {
	d, err := datetime.ParseDate("2026-02-28")
	fmt.Println(d, err)
	_, err = datetime.ParseDate("2026-02-30")
	fmt.Println(err)
	// Output:
	// 2026-02-28 <nil>
	// ValueError: day is out of range for month
}
