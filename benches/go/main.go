// Whole workloads, the same as in ../suite.rs; ../compare runs the two side by side.
//
// GOMAXPROCS sets the number of processors; arguments select workloads by a part of their name.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"
)

type workload struct {
	name string
	n    int
	run  func(n int)
}

var workloads = []workload{
	{"yield", 4_000_000, yields},
	{"ping-pong", 1_000_000, pingPong},
	{"spsc unbuffered", 1_000_000, func(n int) { spsc(n, 0) }},
	{"spsc 128", 5_000_000, func(n int) { spsc(n, 128) }},
	{"mpmc 4x4 128", 2_000_000, func(n int) { many(n, 4, 4, 128) }},
	{"mpsc 1000x1 1024", 2_000_000, func(n int) { many(n, 1000, 1, 1024) }},
	{"select over 2", 1_000_000, selectTwo},
	{"select default", 20_000_000, selectDefault},
	{"fan-in of 8", 500_000, fanIn},
	{"ring of 503", 1_000_000, ring},
	{"prime sieve 1500", 1500, primeSieve},
	{"spawn and join", 300_000, spawnJoin},
	{"spawn 100k", 500_000, spawnMany},
	{"mutex 8", 8_000_000, mutex},
	{"recursion 10k", 1_000_000, recursion},
}

func check(ok bool) {
	if !ok {
		panic("wrong result")
	}
}

func yields(n int) {
	var wg sync.WaitGroup
	for range 4 {
		wg.Add(1)
		go func() {
			for range n / 4 {
				runtime.Gosched()
			}
			wg.Done()
		}()
	}
	wg.Wait()
}

func pingPong(n int) {
	ping, pong := make(chan uint64), make(chan uint64)
	done := make(chan bool)
	go func() {
		for v := range ping {
			pong <- v + 1
		}
		close(done)
	}()
	for i := range uint64(n / 2) {
		ping <- i
		check(<-pong == i+1)
	}
	close(ping)
	<-done
}

func spsc(n, capacity int) {
	c := make(chan uint64, capacity)
	result := make(chan uint64)
	go func() {
		var sum uint64
		for v := range c {
			sum += v
		}
		result <- sum
	}()
	for i := range uint64(n) {
		c <- i
	}
	close(c)
	check(<-result == uint64(n)*uint64(n-1)/2)
}

func many(n, senders, receivers, capacity int) {
	c := make(chan uint64, capacity)
	results := make(chan uint64, receivers)
	share := uint64(n / senders)
	var wg sync.WaitGroup
	for range senders {
		wg.Add(1)
		go func() {
			for i := range share {
				c <- i
			}
			wg.Done()
		}()
	}
	go func() {
		wg.Wait()
		close(c)
	}()
	for range receivers {
		go func() {
			var sum uint64
			for v := range c {
				sum += v
			}
			results <- sum
		}()
	}
	var sum uint64
	for range receivers {
		sum += <-results
	}
	check(sum == uint64(senders)*(share*(share-1)/2))
}

func selectTwo(n int) {
	a, b := make(chan uint64), make(chan uint64)
	go func() {
		for i := range uint64(n / 2) {
			a <- i
			b <- i
		}
	}()
	var sum uint64
	for range n {
		select {
		case v := <-a:
			sum += v
		case v := <-b:
			sum += v
		}
	}
	half := uint64(n / 2)
	check(sum == half*(half-1))
}

func selectDefault(n int) {
	c := make(chan uint64)
	empty := 0
	for range n {
		select {
		case <-c:
		default:
			empty++
		}
	}
	check(empty == n)
}

func fanIn(n int) {
	var c [8]chan uint64
	share := uint64(n / 8)
	for i := range c {
		c[i] = make(chan uint64)
		go func(c chan uint64) {
			for i := range share {
				c <- i
			}
		}(c[i])
	}
	var sum, v uint64
	for range n / 8 * 8 {
		select {
		case v = <-c[0]:
		case v = <-c[1]:
		case v = <-c[2]:
		case v = <-c[3]:
		case v = <-c[4]:
		case v = <-c[5]:
		case v = <-c[6]:
		case v = <-c[7]:
		}
		sum += v
	}
	check(sum == 8*(share*(share-1)/2))
}

func ring(n int) {
	const length = 503
	first := make(chan uint64)
	c := first
	for range length - 1 {
		next := make(chan uint64)
		go func(from, to chan uint64) {
			for v := range from {
				to <- v + 1
			}
		}(c, next)
		c = next
	}
	var token uint64
	for token < uint64(n) {
		done := make(chan bool)
		go func(token uint64) {
			first <- token
			close(done)
		}(token)
		token = <-c + 1
		<-done
	}
}

func primeSieve(primes int) {
	stop := make(chan bool)
	c := make(chan uint64)
	go func() {
		for n := uint64(2); ; n++ {
			select {
			case c <- n:
			case <-stop:
				return
			}
		}
	}()
	var last uint64
	from := c
	for range primes {
		prime := <-from
		last = prime
		to := make(chan uint64)
		go func(from, to chan uint64) {
			for {
				n := <-from
				if n%prime != 0 {
					to <- n
				}
			}
		}(from, to)
		from = to
	}
	close(stop)
	check(last == 12553 || primes != 1500)
}

func spawnJoin(n int) {
	for i := range n {
		c := make(chan int, 1)
		go func() { c <- i }()
		check(<-c == i)
	}
}

func spawnMany(n int) {
	for range n / 100_000 {
		var wg sync.WaitGroup
		wg.Add(100_000)
		for range 100_000 {
			go wg.Done()
		}
		wg.Wait()
	}
}

func mutex(n int) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	counter := 0
	for range 8 {
		wg.Add(1)
		go func() {
			for range n / 8 {
				mu.Lock()
				counter++
				mu.Unlock()
			}
			wg.Done()
		}()
	}
	wg.Wait()
	check(counter == n)
}

//go:noinline
func descend(depth uint64, frame [8]uint64) uint64 {
	frame[depth%8] = depth
	if depth == 0 {
		return frame[0]
	}
	return 1 + descend(depth-1, frame)
}

func recursion(n int) {
	for range n / 10_000 {
		c := make(chan uint64)
		go func() { c <- descend(10_000, [8]uint64{}) }()
		check(<-c == 10_000)
	}
}

func main() {
	for _, w := range workloads {
		wanted := len(os.Args) == 1
		for _, arg := range os.Args[1:] {
			wanted = wanted || strings.Contains(w.name, arg)
		}
		if !wanted {
			continue
		}
		w.run(w.n / 10)
		start := time.Now()
		w.run(w.n)
		fmt.Printf("%s\t%.2f\n", w.name, float64(time.Since(start).Nanoseconds())/float64(w.n))
	}
}
