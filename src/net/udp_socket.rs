//! [`UdpSocket`].

use super::ToSocketAddrs;
use super::addrs::first_of;
use super::shared::{common, conversions, limits, settings};
use super::socket::Socket;
use crate::park::Direction;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

/// A UDP socket: `std::net::UdpSocket` whose operations park the goroutine.
///
/// # Blocking
/// Receives park until there is a datagram; sends only while the system has no room, which is rare. Several goroutines
/// may receive at once: each datagram goes to one of them.
///
/// # Compared with Go
/// `net.UDPConn`; `close` and the deadlines are Go's.
///
/// ```
/// use gaggle::net::UdpSocket;
///
/// let server = UdpSocket::bind("127.0.0.1:0")?;
/// let address = server.local_addr()?;
/// let echo = gaggle::spawn(move || {
///     let mut datagram = [0; 1500];
///     let (n, from) = server.recv_from(&mut datagram)?;
///     server.send_to(&datagram[..n], from)
/// });
/// let client = UdpSocket::bind("127.0.0.1:0")?;
/// client.send_to(b"ping", address)?;
/// let mut answer = [0; 4];
/// assert_eq!(client.recv_from(&mut answer)?, (4, address));
/// # echo.join().unwrap()?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct UdpSocket(Socket<std::net::UdpSocket>);

impl UdpSocket {
    /// Binds to the first of the addresses that is free; port 0 has the system choose one.
    ///
    /// # Blocking
    /// For the look-up of a name only.
    ///
    /// # Errors
    /// Those of the last address, as `AddrInUse`; those of a name look-up.
    ///
    /// ```
    /// let socket = gaggle::net::UdpSocket::bind("127.0.0.1:0")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<Self> {
        Ok(first_of(addr, std::net::UdpSocket::bind)?.into())
    }

    /// Sends to, and receives from, one address only, from now on.
    ///
    /// # Blocking
    /// For the look-up of a name only.
    ///
    /// # Errors
    /// Those of the last address; those of a name look-up.
    ///
    /// ```
    /// # let [a, b] = [(); 2].map(|_| gaggle::net::UdpSocket::bind("127.0.0.1:0").unwrap());
    /// a.connect(b.local_addr()?)?;
    /// assert_eq!(a.peer_addr()?, b.local_addr()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn connect<A: ToSocketAddrs>(&self, addr: A) -> io::Result<()> {
        first_of(addr, |addr| self.0.io().connect(addr))
    }

    /// Receives a datagram, of which what does not fit into `buf` is dropped, and who sent it.
    ///
    /// # Blocking
    /// Until there is one.
    ///
    /// # Errors
    /// Those of the system; timeouts and deadlines.
    ///
    /// ```
    /// # let [a, b] = [(); 2].map(|_| gaggle::net::UdpSocket::bind("127.0.0.1:0").unwrap());
    /// a.send_to(b"x", b.local_addr()?)?;
    /// assert_eq!(b.recv_from(&mut [0; 8])?, (1, a.local_addr()?));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.0.read(|io| io.recv_from(buf))
    }

    /// As [`recv_from`](Self::recv_from), and leaves the datagram to be received again.
    ///
    /// # Blocking
    /// Until there is one.
    ///
    /// # Errors
    /// As [`recv_from`](Self::recv_from).
    ///
    /// ```
    /// # let [a, b] = [(); 2].map(|_| gaggle::net::UdpSocket::bind("127.0.0.1:0").unwrap());
    /// a.send_to(b"x", b.local_addr()?)?;
    /// assert_eq!(b.peek_from(&mut [0; 8])?, b.recv_from(&mut [0; 8])?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.0.read(|io| io.peek_from(buf))
    }

    /// Sends a datagram to the first of the addresses.
    ///
    /// # Blocking
    /// While the system has no room for it; for the look-up of a name.
    ///
    /// # Errors
    /// Those of the system; [`ErrorKind::InvalidInput`](io::ErrorKind::InvalidInput) if there is no address.
    ///
    /// ```
    /// # let [a, b] = [(); 2].map(|_| gaggle::net::UdpSocket::bind("127.0.0.1:0").unwrap());
    /// assert_eq!(a.send_to(b"x", b.local_addr()?)?, 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn send_to<A: ToSocketAddrs>(&self, buf: &[u8], addr: A) -> io::Result<usize> {
        let Some(addr) = addr.to_socket_addrs()?.next() else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no addresses to send data to"));
        };
        self.0.write(|io| io.send_to(buf, addr))
    }

    /// Receives a datagram from the address that it is [connected](Self::connect) to.
    ///
    /// # Blocking
    /// Until there is one.
    ///
    /// # Errors
    /// As [`recv_from`](Self::recv_from).
    ///
    /// ```
    /// # let [a, b] = [(); 2].map(|_| gaggle::net::UdpSocket::bind("127.0.0.1:0").unwrap());
    /// # a.connect(b.local_addr()?)?;
    /// b.connect(a.local_addr()?)?;
    /// a.send(b"x")?;
    /// assert_eq!(b.recv(&mut [0; 8])?, 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(|io| io.recv(buf))
    }

    /// As [`recv`](Self::recv), and leaves the datagram to be received again.
    ///
    /// # Blocking
    /// Until there is one.
    ///
    /// # Errors
    /// As [`recv_from`](Self::recv_from).
    ///
    /// ```
    /// # let [a, b] = [(); 2].map(|_| gaggle::net::UdpSocket::bind("127.0.0.1:0").unwrap());
    /// # a.connect(b.local_addr()?)?;
    /// # b.connect(a.local_addr()?)?;
    /// a.send(b"x")?;
    /// assert_eq!(b.peek(&mut [0; 8])?, b.recv(&mut [0; 8])?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(|io| io.peek(buf))
    }

    /// Sends a datagram to the address that it is [connected](Self::connect) to.
    ///
    /// # Blocking
    /// While the system has no room for it.
    ///
    /// # Errors
    /// Those of the system: `ConnectionRefused` if an earlier one found nobody.
    ///
    /// ```
    /// # let [a, b] = [(); 2].map(|_| gaggle::net::UdpSocket::bind("127.0.0.1:0").unwrap());
    /// a.connect(b.local_addr()?)?;
    /// assert_eq!(a.send(b"x")?, 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.0.write(|io| io.send(buf))
    }

    /// What a close does at once: nothing that anybody but the system could see.
    fn shut(&self) {}

    common!("# let socket = gaggle::net::UdpSocket::bind(\"127.0.0.1:0\")?;");
    limits!("# let socket = gaggle::net::UdpSocket::bind(\"127.0.0.1:0\")?;");
    settings! {
        "# let socket = gaggle::net::UdpSocket::bind(\"127.0.0.1:0\")?;";
        /// The address that it is bound to.
        fn local_addr() -> SocketAddr = "assert_ne!(socket.local_addr()?.port(), 0);";
        /// The address that it is [connected](Self::connect) to.
        fn peer_addr() -> SocketAddr = "assert!(socket.peer_addr().is_err());";
        /// Whether datagrams may be sent to broadcast addresses (`SO_BROADCAST`).
        fn set_broadcast(broadcast: bool) -> () = "socket.set_broadcast(true)?;";
        /// See [`set_broadcast`](Self::set_broadcast).
        fn broadcast() -> bool = "assert!(!socket.broadcast()?);";
        /// Sets the number of hops that a packet may take (`IP_TTL`).
        fn set_ttl(ttl: u32) -> () = "socket.set_ttl(64)?;";
        /// See [`set_ttl`](Self::set_ttl).
        fn ttl() -> u32 = "assert!(socket.ttl()? > 0);";
        /// Whether this host receives what it multicasts itself (`IP_MULTICAST_LOOP`).
        fn set_multicast_loop_v4(on: bool) -> () = "socket.set_multicast_loop_v4(true)?;";
        /// See [`set_multicast_loop_v4`](Self::set_multicast_loop_v4).
        fn multicast_loop_v4() -> bool = "assert!(socket.multicast_loop_v4()?);";
        /// Sets the number of hops of a multicast packet (`IP_MULTICAST_TTL`).
        fn set_multicast_ttl_v4(ttl: u32) -> () = "socket.set_multicast_ttl_v4(2)?;";
        /// See [`set_multicast_ttl_v4`](Self::set_multicast_ttl_v4).
        fn multicast_ttl_v4() -> u32 = "assert_eq!(socket.multicast_ttl_v4()?, 1);";
        /// Whether this host receives what it multicasts itself (`IPV6_MULTICAST_LOOP`).
        fn set_multicast_loop_v6(on: bool) -> () = "let _needs_ipv6 = socket.set_multicast_loop_v6(true);";
        /// See [`set_multicast_loop_v6`](Self::set_multicast_loop_v6).
        fn multicast_loop_v6() -> bool = "let _needs_ipv6 = socket.multicast_loop_v6();";
        /// Joins a group, on the interface with the address `interface`, or on any.
        fn join_multicast_v4(group: &Ipv4Addr, interface: &Ipv4Addr) -> () =
            "let any = std::net::Ipv4Addr::UNSPECIFIED;\nassert!(socket.join_multicast_v4(&any, &any).is_err());";
        /// Joins a group, on the interface with the index `interface`, or on any with 0.
        fn join_multicast_v6(group: &Ipv6Addr, interface: u32) -> () =
            "let any = std::net::Ipv6Addr::UNSPECIFIED;\nassert!(socket.join_multicast_v6(&any, 0).is_err());";
        /// Leaves a group that was [joined](Self::join_multicast_v4).
        fn leave_multicast_v4(group: &Ipv4Addr, interface: &Ipv4Addr) -> () =
            "let any = std::net::Ipv4Addr::UNSPECIFIED;\nassert!(socket.leave_multicast_v4(&any, &any).is_err());";
        /// Leaves a group that was [joined](Self::join_multicast_v6).
        fn leave_multicast_v6(group: &Ipv6Addr, interface: u32) -> () =
            "let any = std::net::Ipv6Addr::UNSPECIFIED;\nassert!(socket.leave_multicast_v6(&any, 0).is_err());";
    }
}

conversions!(UdpSocket, std::net::UdpSocket);
