package unittest

// The report that CI services read.

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"time"
)

// JUnit's XML as Ant's schema has it, which later ones extend: a suite for each
// file, for each test one child at most, what it wrote in the suite's
// system-out. Sources: https://github.com/windyroad/JUnit-Schema and Jenkins'
// junit-10.xsd.
type junitReport struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string      `xml:"name,attr"`
	Package    string      `xml:"package,attr"`
	ID         int         `xml:"id,attr"`
	Timestamp  string      `xml:"timestamp,attr"`
	Hostname   string      `xml:"hostname,attr"`
	Tests      int         `xml:"tests,attr"`
	Failures   int         `xml:"failures,attr"`
	Errors     int         `xml:"errors,attr"`
	Skipped    int         `xml:"skipped,attr"`
	Time       string      `xml:"time,attr"`
	Properties struct{}    `xml:"properties"`
	Cases      []junitCase `xml:"testcase"`
	Out        string      `xml:"system-out"`
	Err        string      `xml:"system-err"`

	elapsed time.Duration
}

type junitCase struct {
	Name      string        `xml:"name,attr"`
	ClassName string        `xml:"classname,attr"`
	Time      string        `xml:"time,attr"`
	Skipped   *junitProblem `xml:"skipped"`
	Error     *junitProblem `xml:"error"`
	Failure   *junitProblem `xml:"failure"`
}

type junitProblem struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// junit returns the results as JUnit's XML. started is when the run began.
func junit(results []result, started time.Time) ([]byte, error) {
	var doc junitReport
	index := map[string]int{}
	for _, res := range results {
		label := res.test.file.label()
		i, ok := index[label]
		if !ok {
			i = len(doc.Suites)
			index[label] = i
			doc.Suites = append(doc.Suites, junitSuite{Name: label, Package: res.test.file.app, ID: i,
				Timestamp: started.UTC().Format("2006-01-02T15:04:05"), Hostname: "localhost"})
		}
		doc.Suites[i].add(res)
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	enc := xml.NewEncoder(&b)
	enc.Indent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

func (s *junitSuite) add(res result) {
	name := res.test.name
	if name == "" {
		name = res.test.file.name
	}
	c := junitCase{Name: name, ClassName: res.test.file.label(), Time: decimalSeconds(res.elapsed)}
	outcome := res.outcome()
	var message, class string
	var text strings.Builder
	for _, p := range res.problems {
		if p.kind == outcome && class == "" {
			message, _, _ = strings.Cut(p.message, "\n")
			class = p.class
		}
		if p.kind == skipped {
			continue
		}
		if p.part != "" {
			text.WriteString(p.part + ":\n")
		}
		text.WriteString(p.text())
	}
	problem := &junitProblem{Message: message, Type: class, Text: text.String()}
	s.Tests++
	switch outcome {
	case skipped:
		s.Skipped++
		c.Skipped = problem
	case failure:
		s.Failures++
		c.Failure = problem
	case bug:
		s.Errors++
		c.Error = problem
	}
	s.Cases = append(s.Cases, c)
	s.elapsed += res.elapsed
	s.Time = decimalSeconds(s.elapsed)
	if res.output != "" {
		s.Out += fmt.Sprintf("%s:\n%s", res.test.id(), res.output)
	}
}

func decimalSeconds(d time.Duration) string { return fmt.Sprintf("%.6f", max(0, d.Seconds())) }
