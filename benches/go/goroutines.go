package main

import (
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

func yields(n int) {
	turns := (n + 3) / 4
	results := make(chan int, 4)
	for range 4 {
		go func() {
			for range turns {
				runtime.Gosched()
			}
			results <- turns
		}()
	}
	sum := 0
	for range 4 {
		sum += <-results
	}
	check(sum == turns*4)
}

func spawnJoin(n int) {
	for i := range n {
		c := make(chan int, 1)
		go func() { c <- i }()
		check(<-c == i)
	}
}

// A hundred thousand at a time, under one WaitGroup.
func spawnMany(n int) {
	each := min(n, 100_000)
	for range n / each {
		var wg sync.WaitGroup
		wg.Add(each)
		for range each {
			go wg.Done()
		}
		wg.Wait()
	}
}

func mutex(n int) {
	share := (n + 7) / 8
	var mu sync.Mutex
	var wg sync.WaitGroup
	counter := 0
	for range 8 {
		wg.Add(1)
		go func() {
			for range share {
				mu.Lock()
				counter++
				mu.Unlock()
			}
			wg.Done()
		}()
	}
	wg.Wait()
	check(counter == share*8)
}

//go:noinline
func descend(depth uint64, frame [8]uint64, bottom func()) uint64 {
	frame[depth%8] = depth
	if depth == 0 {
		bottom()
		return frame[0]
	}
	return 1 + descend(depth-1, frame, bottom)
}

// Each goroutine goes 10,000 levels deep and waits there, so that the next one finds no stack that grew before.
func recursion(n int) {
	depth := min(n, 10_000)
	arrivals, gate := make(chan bool), make(chan bool)
	results := make(chan uint64, n/depth)
	for range n / depth {
		go func() {
			results <- descend(uint64(depth), [8]uint64{}, func() {
				arrivals <- true
				<-gate
			})
		}()
		<-arrivals
	}
	close(gate)
	for range n / depth {
		check(<-results == uint64(depth))
	}
}

// Resident memory and page tables, in bytes.
func memory() float64 {
	status, _ := os.ReadFile("/proc/self/status")
	sum := 0
	for line := range strings.Lines(string(status)) {
		words := strings.Fields(line)
		if len(words) > 1 && (words[0] == "VmRSS:" || words[0] == "VmPTE:") {
			kib, _ := strconv.Atoi(words[1])
			sum += kib << 10
		}
	}
	return float64(sum)
}

func msSince(start time.Time) float64 {
	return time.Since(start).Seconds() * 1e3
}

// They wait on one channel, which is then closed.
func parked(n int) []figure {
	var started, finished sync.WaitGroup
	gate := make(chan bool)
	before := memory()
	start := time.Now()
	started.Add(n)
	finished.Add(n)
	for range n {
		go func() {
			started.Done()
			_, open := <-gate
			check(!open)
			finished.Done()
		}()
	}
	started.Wait()
	spawn := msSince(start)
	bytes := memory() - before
	start = time.Now()
	close(gate)
	finished.Wait()
	return []figure{
		{"memory of each", bytes / float64(n), "bytes"},
		{"spawn", spawn, "ms"},
		{"wake", msSince(start), "ms"},
	}
}

// What the process has computed so far, user and system together.
func cpuMs() float64 {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage) == nil)
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e6
}

// The generator of ../suite/harness.rs.
func sleepNs(index uint64) time.Duration {
	x := (index + 1) * 0x9e37_79b9_7f4a_7c15
	x ^= x >> 32
	x *= 0xd6e8_feb8_6659_fd93
	x ^= x >> 32
	return time.Duration(x % 1_000_000_000)
}

// Each sleeps once, for a random time of up to a second, and says how late it woke.
func sleeps(n int) []figure {
	cpu := cpuMs()
	late := make([]time.Duration, n)
	var wg sync.WaitGroup
	wg.Add(n)
	for i := range late {
		go func() {
			start, wanted := time.Now(), sleepNs(uint64(i))
			time.Sleep(wanted)
			slept := time.Since(start)
			check(slept >= wanted)
			late[i] = slept - wanted
			wg.Done()
		}()
	}
	wg.Wait()
	cpu = cpuMs() - cpu
	slices.Sort(late)
	p99 := late[n*99/100]
	return []figure{{"CPU", cpu, "ms"}, {"p99 lateness", p99.Seconds() * 1e3, "ms"}}
}
