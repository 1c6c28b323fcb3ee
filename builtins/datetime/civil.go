package datetime

// This file holds the calendar: ordinals, leap years, weeks. All of it is plain arithmetic on the proleptic
// Gregorian calendar, as in Python's datetime: day 1 is 0001-01-01, a Monday.

const (
	minYear = 1
	maxYear = 9999

	maxOrdinal = 3652059 // 9999-12-31
	epochDay   = 719163  // 1970-01-01

	usPerSecond = int64(1_000_000)
	usPerMinute = 60 * usPerSecond
	usPerHour   = 60 * usPerMinute
	usPerDay    = 24 * usPerHour

	maxWall = maxOrdinal*usPerDay - 1 // 9999-12-31T23:59:59.999999
	epochUS = (epochDay - 1) * usPerDay
)

func isLeap(year int) bool {
	return year%4 == 0 && (year%100 != 0 || year%400 == 0)
}

func daysInMonth(year, month int) int {
	switch month {
	case 2:
		if isLeap(year) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// ordinal is the number of a day, counted from 1 for 0001-01-01. It shifts the year to begin in March, so that the
// leap day is the last one. Arguments out of range give a day that does not exist: check them first.
func ordinal(year, month, day int) int {
	m := month - 3
	if m < 0 {
		m += 12
		year--
	}
	return year*365 + year/4 - year/100 + year/400 + (153*m+2)/5 + day - 306
}

// civil is ordinal's inverse, for 1 to maxOrdinal.
func civil(ord int) (year, month, day int) {
	z := ord + 305 // days since 0000-03-01
	era := z / 146097
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	day = doy - (153*mp+2)/5 + 1
	month = mp + 3
	year = yoe + era*400
	if month > 12 {
		month -= 12
		year++
	}
	return year, month, day
}

// weekday is 0 for Monday.
func weekday(ord int) int { return (ord + 6) % 7 }

func dayOfYear(ord int) int {
	year, _, _ := civil(ord)
	return ord - ordinal(year, 1, 1) + 1
}

// isoWeek1 is the ordinal of the Monday that starts week 1 of the ISO year.
func isoWeek1(year int) int {
	first := ordinal(year, 1, 1)
	wd := weekday(first)
	monday := first - wd
	if wd > 3 {
		monday += 7
	}
	return monday
}

// isoCalendar is the ISO 8601 year, week (1 to 53) and day (1 is Monday).
func isoCalendar(ord int) (year, week, day int) {
	year, _, _ = civil(ord)
	week1 := isoWeek1(year)
	if ord < week1 {
		year--
		week1 = isoWeek1(year)
	} else if ord >= isoWeek1(year+1) {
		year++
		week1 = isoWeek1(year)
	}
	return year, (ord-week1)/7 + 1, (ord-week1)%7 + 1
}

// fromISOCalendar is isoCalendar's inverse; its errors are Python's.
func fromISOCalendar(year, week, day int) (int, error) {
	if year < minYear || year > maxYear {
		return 0, valueError("Year is out of range: %d", year)
	}
	weeks := 52
	if first := weekday(ordinal(year, 1, 1)); first == 3 || first == 2 && isLeap(year) {
		weeks = 53
	}
	if week < 1 || week > weeks {
		return 0, valueError("Invalid week: %d", week)
	}
	if day < 1 || day > 7 {
		return 0, valueError("Invalid day: %d (range is [1, 7])", day)
	}
	ord := isoWeek1(year) + (week-1)*7 + day - 1
	if ord < 1 || ord > maxOrdinal {
		y := year
		if ord < 1 {
			y = 0
		} else {
			y++
		}
		return 0, valueError("year %d is out of range", y)
	}
	return ord, nil
}

// checkDate and checkTime refuse what Python's constructors refuse, in Python's words and order.
func checkDate(year, month, day int) error {
	if year < minYear || year > maxYear {
		return valueError("year %d is out of range", year)
	}
	if month < 1 || month > 12 {
		return valueError("month must be in 1..12")
	}
	if day < 1 || day > daysInMonth(year, month) {
		return valueError("day is out of range for month")
	}
	return nil
}

func checkTime(hour, minute, second, microsecond, fold int) error {
	switch {
	case hour < 0 || hour > 23:
		return valueError("hour must be in 0..23")
	case minute < 0 || minute > 59:
		return valueError("minute must be in 0..59")
	case second < 0 || second > 59:
		return valueError("second must be in 0..59")
	case microsecond < 0 || microsecond > 999999:
		return valueError("microsecond must be in 0..999999")
	case fold != 0 && fold != 1:
		return valueError("fold must be either 0 or 1")
	}
	return nil
}

func wallClock(ord, hour, minute, second, microsecond int) int64 {
	return int64(ord-1)*usPerDay + int64(hour)*usPerHour + int64(minute)*usPerMinute +
		int64(second)*usPerSecond + int64(microsecond)
}

func floorDiv(a, b int64) (q, r int64) {
	q, r = a/b, a%b
	if r < 0 {
		q--
		r += b
	}
	return q, r
}
