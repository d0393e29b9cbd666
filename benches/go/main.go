// Whole workloads, the same as in ../suite; ../compare runs them side by side.
//
// [--divide N] [--parked N] [--list] [WORKLOAD ...] as ../suite/harness.rs has it, and the same lines of output.
// GOMAXPROCS sets the number of processors.
package main

import (
	"flag"
	"fmt"
	"strings"
	"time"
)

type figure struct {
	name  string
	value float64
	unit  string
}

type workload struct {
	name string
	n    int
	// Of the time: ns per operation, or ms for all of them.
	unit string
	// Timed as a whole; after a warm-up, unless it is the first time that is measured.
	run   func(n int)
	first bool
	// Or it takes its own figures.
	figures func(n int) []figure
}

// The table of ../suite/harness.rs.
var workloads = []workload{
	{name: "yield", n: 4_000_000, unit: "ns", run: yields},
	{name: "ping-pong", n: 1_000_000, unit: "ns", run: pingPong},
	{name: "spsc unbuffered", n: 1_000_000, unit: "ns", run: func(n int) { spsc(n, 0) }},
	{name: "spsc 128", n: 5_000_000, unit: "ns", run: func(n int) { spsc(n, 128) }},
	{name: "mpmc 4x4 128", n: 2_000_000, unit: "ns", run: func(n int) { many(n, 4, 4, 128) }},
	{name: "mpsc 1000x1 1024", n: 2_000_000, unit: "ns", run: func(n int) { many(n, 1000, 1, 1024) }},
	{name: "select over 2", n: 1_000_000, unit: "ns", run: selectTwo},
	{name: "select default", n: 20_000_000, unit: "ns", run: selectDefault},
	{name: "fan-in of 8", n: 500_000, unit: "ns", run: fanIn},
	{name: "ring of 503", n: 2_000_000, unit: "ns", run: ring},
	{name: "prime sieve 1500", n: 1500, unit: "ms", run: primeSieve},
	{name: "skynet", n: 1_000_000, unit: "ms", run: skynet},
	{name: "spawn and join", n: 300_000, unit: "ns", run: spawnJoin},
	{name: "spawn 100k", n: 500_000, unit: "ns", run: spawnMany},
	{name: "parked", n: 1_000_000, figures: parked},
	{name: "sleeps", n: 100_000, figures: sleeps},
	{name: "mutex 8", n: 8_000_000, unit: "ns", run: mutex},
	{name: "recursion 10k", n: 500_000, unit: "ns", run: recursion, first: true},
	{name: "tcp echo 64", n: 200_000, unit: "ns", run: func(n int) { echoes(n, 64) }},
	{name: "tcp idle", n: 10_000, figures: idle},
}

func check(ok bool) {
	if !ok {
		panic("wrong result")
	}
}

func measure(w workload, n int) {
	if w.figures != nil {
		for _, f := range w.figures(n) {
			fmt.Printf("%s\t%s\t%.2f\t%s\n", w.name, f.name, f.value, f.unit)
		}
		return
	}
	if !w.first {
		w.run(max(n/10, 1))
	}
	start := time.Now()
	w.run(n)
	value := float64(time.Since(start).Nanoseconds())
	if w.unit == "ms" {
		value /= 1e6
	} else {
		value /= float64(n)
	}
	fmt.Printf("%s\t\t%.3f\t%s\n", w.name, value, w.unit)
}

func main() {
	divide := flag.Int("divide", 1, "each workload does so many times less")
	crowd := flag.Int("parked", 0, "how many are parked at once")
	list := flag.Bool("list", false, "only the names")
	flag.Parse()
	if flag.NArg() == 3 && flag.Arg(0) == "hold" {
		hold(flag.Arg(1), flag.Arg(2))
		return
	}
	for _, w := range workloads {
		wanted := flag.NArg() == 0
		for _, arg := range flag.Args() {
			wanted = wanted || strings.Contains(w.name, arg)
		}
		n := max(w.n / *divide, 1)
		if w.name == "parked" && *crowd > 0 {
			n = *crowd
		}
		switch {
		case !wanted:
		case *list:
			fmt.Println(w.name)
		default:
			measure(w, n)
		}
	}
}
