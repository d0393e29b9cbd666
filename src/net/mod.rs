//! Sockets that park the goroutine: `std::net`'s names and signatures, so that a port is a change of the `use` line.

mod addrs;
mod lookup;
mod shared;
mod socket;
mod tcp_listener;
mod tcp_stream;

pub use addrs::ToSocketAddrs;
pub use std::net::{AddrParseError, IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, SocketAddrV4, SocketAddrV6};
pub use tcp_listener::{Incoming, TcpListener};
pub use tcp_stream::TcpStream;
