package main

import (
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"
)

// How many bytes a message has.
const message = 64

func echo(conn net.Conn) {
	defer conn.Close()
	buffer := make([]byte, message)
	for {
		if _, err := io.ReadFull(conn, buffer); err != nil {
			return
		}
		_, err := conn.Write(buffer)
		check(err == nil)
	}
}

// n messages go to and fro, as many on each of the connections.
func echoes(n, connections int) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err == nil)
	defer listener.Close()
	go func() {
		for range connections {
			conn, err := listener.Accept()
			check(err == nil)
			go echo(conn)
		}
	}()
	var clients sync.WaitGroup
	clients.Add(connections)
	for client := range connections {
		messages := n / connections
		if client < n%connections {
			messages++
		}
		go func() {
			defer clients.Done()
			conn, err := net.Dial("tcp", listener.Addr().String())
			check(err == nil)
			defer conn.Close()
			back := make([]byte, message)
			for i := range messages {
				sent := bytes.Repeat([]byte{byte(i)}, message)
				_, err := conn.Write(sent)
				check(err == nil)
				_, err = io.ReadFull(conn, back)
				check(err == nil && bytes.Equal(back, sent))
			}
		}()
	}
	clients.Wait()
}

// What a process does that only makes connections: see ../suite/sockets.rs.
func hold(address, number string) {
	n, err := strconv.Atoi(number)
	check(err == nil)
	held := make([]net.Conn, n)
	for i := range held {
		held[i], err = net.Dial("tcp", address)
		check(err == nil)
	}
	os.Stdin.Read(make([]byte, 1))
}

// n connections whose goroutines wait for a byte that never comes; what they take, and whether others notice.
func idle(n int) []figure {
	timed := func() float64 {
		start := time.Now()
		echoes(100_000, 64)
		return float64(time.Since(start).Nanoseconds()) / 1e5
	}
	timed()
	alone := timed()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err == nil)
	self, err := os.Executable()
	check(err == nil)
	before := memory()
	holder := exec.Command(self, "hold", listener.Addr().String(), strconv.Itoa(n))
	stdin, err := holder.StdinPipe()
	check(err == nil && holder.Start() == nil)
	var gone sync.WaitGroup
	gone.Add(n)
	for range n {
		conn, err := listener.Accept()
		check(err == nil)
		go func() {
			read, err := conn.Read(make([]byte, 1))
			check(read == 0 && err == io.EOF)
			conn.Close()
			gone.Done()
		}()
	}
	beside := timed()
	bytes := memory() - before
	stdin.Close()
	gone.Wait()
	holder.Wait()
	return []figure{
		{"memory of each", bytes / float64(n), "bytes"},
		{"echo without them", alone, "ns"},
		{"echo beside them", beside, "ns"},
	}
}
