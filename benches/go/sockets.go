package main

import (
	"bytes"
	"io"
	"net"
	"sync"
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
