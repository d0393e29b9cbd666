package main

import "sync"

// A message one way is an operation.

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
	share := uint64(max(n/senders, 1))
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
	half := uint64(n+1) / 2
	go func() {
		for i := range half {
			a <- i
			b <- i
		}
	}()
	var sum uint64
	for range half * 2 {
		select {
		case v := <-a:
			sum += v
		case v := <-b:
			sum += v
		}
	}
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
	share := uint64(n+7) / 8
	for i := range c {
		c[i] = make(chan uint64)
		go func(c chan uint64) {
			for i := range share {
				c <- i
			}
		}(c[i])
	}
	var sum, v uint64
	for range share * 8 {
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

// One token goes round; this goroutine is the 503rd.
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
			close(to)
		}(c, next)
		c = next
	}
	rounds := uint64(n+length-1) / length
	var token uint64
	for range rounds {
		first <- token + 1
		token = <-c
	}
	close(first)
	check(token == rounds*length)
}

func expectedPrime(primes int) uint64 {
	return map[int]uint64{15: 47, 150: 863, 1500: 12553}[primes]
}

// Each prime that comes out adds a filter to the chain. As every sieve in Go, it leaves its goroutines behind.
func primeSieve(primes int) {
	from := make(chan uint64)
	go func(to chan uint64) {
		for n := uint64(2); ; n++ {
			to <- n
		}
	}(from)
	var last uint64
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
	expected := expectedPrime(primes)
	check(expected == 0 || last == expected)
}

func node(parent chan uint64, number, leaves uint64) {
	if leaves == 1 {
		parent <- number
		return
	}
	c := make(chan uint64)
	each := leaves / 10
	for i := range uint64(10) {
		go node(c, number+i*each, each)
	}
	var sum uint64
	for range 10 {
		sum += <-c
	}
	parent <- sum
}

// A tree of goroutines, ten children each; sums come up.
func skynet(n int) {
	leaves := uint64(1)
	for leaves*10 <= uint64(n) {
		leaves *= 10
	}
	c := make(chan uint64)
	go node(c, 0, leaves)
	check(<-c == leaves*(leaves-1)/2)
}
