//! Methods and conversions that several socket types have, written once.

/// The conversions from and to `std`'s type and, on Unix, the descriptor.
macro_rules! conversions {
    ($name:ident, $std:ty) => {
        impl From<$std> for $name {
            fn from(io: $std) -> Self {
                Self(Socket::of_std(io))
            }
        }

        /// The result blocks the thread, as `std`'s sockets do, unless `set_nonblocking(true)` was called. If there are
        /// clones, which go on with the descriptor, the result is a duplicate that does not block.
        ///
        /// # Panics
        /// If there are clones and no descriptor is left for the duplicate.
        impl From<$name> for $std {
            fn from(socket: $name) -> Self {
                socket.0.into_std()
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.io().fmt(f)
            }
        }

        #[cfg(unix)]
        impl std::os::fd::AsFd for $name {
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                self.0.io().as_fd()
            }
        }

        #[cfg(unix)]
        impl std::os::fd::AsRawFd for $name {
            fn as_raw_fd(&self) -> std::os::fd::RawFd {
                self.0.io().as_raw_fd()
            }
        }

        #[cfg(unix)]
        impl std::os::fd::IntoRawFd for $name {
            fn into_raw_fd(self) -> std::os::fd::RawFd {
                <$std>::from(self).into_raw_fd()
            }
        }

        #[cfg(unix)]
        impl std::os::fd::FromRawFd for $name {
            unsafe fn from_raw_fd(fd: std::os::fd::RawFd) -> Self {
                // SAFETY: the caller's contract is the same.
                Self::from(unsafe { <$std>::from_raw_fd(fd) })
            }
        }

        #[cfg(unix)]
        impl From<std::os::fd::OwnedFd> for $name {
            fn from(fd: std::os::fd::OwnedFd) -> Self {
                Self::from(<$std>::from(fd))
            }
        }

        #[cfg(unix)]
        impl From<$name> for std::os::fd::OwnedFd {
            fn from(socket: $name) -> Self {
                <$std>::from(socket).into()
            }
        }
    };
}

/// What all sockets have. `$make` is what an example needs to have `socket`.
macro_rules! common {
    ($make:literal) => {
        /// A second handle of the same socket: it shares the descriptor, the timeouts and the deadlines. The socket
        /// is closed when the last handle is dropped.
        ///
        /// # Errors
        /// None; `std`'s signature.
        ///
        #[doc = concat!("```\n", $make)]
        /// let clone = socket.try_clone()?;
        /// drop(socket);
        /// assert!(clone.local_addr().is_ok());
        /// # Ok::<(), std::io::Error>(())
        /// ```
        pub fn try_clone(&self) -> io::Result<Self> {
            Ok(Self(self.0.clone()))
        }

        /// Closes the socket for all its handles, as Go's `Close` does: operations that wait, and all later ones, fail
        /// with [`ErrorKind::NotConnected`](io::ErrorKind::NotConnected). The descriptor itself goes with the last
        /// handle.
        ///
        #[doc = concat!("```\n", $make)]
        /// socket.close();
        /// # Ok::<(), std::io::Error>(())
        /// ```
        pub fn close(&self) {
            self.0.source().close();
            self.shut();
        }

        /// Makes operations that would have to wait return [`ErrorKind::WouldBlock`](io::ErrorKind::WouldBlock)
        /// instead. Those that wait already go on waiting.
        ///
        /// # Errors
        /// None; `std`'s signature.
        ///
        #[doc = concat!("```\n", $make)]
        /// socket.set_nonblocking(true)?;
        /// # Ok::<(), std::io::Error>(())
        /// ```
        pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
            self.0.source().set_nonblocking(nonblocking);
            Ok(())
        }

        /// The error that the socket has kept, which it forgets.
        ///
        /// # Errors
        /// Those of the system.
        ///
        #[doc = concat!("```\n", $make)]
        /// assert!(socket.take_error()?.is_none());
        /// # Ok::<(), std::io::Error>(())
        /// ```
        pub fn take_error(&self) -> io::Result<Option<io::Error>> {
            self.0.io().take_error()
        }
    };
}

/// How long operations may take.
macro_rules! limits {
    ($make:literal) => {
        /// Limits how long each later read waits; the next look of those that wait already takes note of it, too.
        /// A read that took longer fails with [`ErrorKind::TimedOut`](io::ErrorKind::TimedOut). (On Unix `std` says
        /// `WouldBlock`; programs that care check for both.)
        ///
        /// # Errors
        /// [`ErrorKind::InvalidInput`](io::ErrorKind::InvalidInput) for a duration of zero.
        ///
        #[doc = concat!("```\n", $make)]
        /// socket.set_read_timeout(Some(std::time::Duration::from_secs(1)))?;
        /// # Ok::<(), std::io::Error>(())
        /// ```
        pub fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
            self.0.set_timeout(Direction::Read, timeout)
        }

        /// As [`set_read_timeout`](Self::set_read_timeout), for writes.
        ///
        /// # Errors
        /// [`ErrorKind::InvalidInput`](io::ErrorKind::InvalidInput) for a duration of zero.
        ///
        #[doc = concat!("```\n", $make)]
        /// socket.set_write_timeout(Some(std::time::Duration::from_secs(1)))?;
        /// # Ok::<(), std::io::Error>(())
        /// ```
        pub fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
            self.0.set_timeout(Direction::Write, timeout)
        }

        /// The timeout of reads.
        ///
        /// # Errors
        /// None; `std`'s signature.
        ///
        #[doc = concat!("```\n", $make)]
        /// assert_eq!(socket.read_timeout()?, None);
        /// # Ok::<(), std::io::Error>(())
        /// ```
        pub fn read_timeout(&self) -> io::Result<Option<Duration>> {
            Ok(self.0.source().timeout(Direction::Read))
        }

        /// The timeout of writes.
        ///
        /// # Errors
        /// None; `std`'s signature.
        ///
        #[doc = concat!("```\n", $make)]
        /// assert_eq!(socket.write_timeout()?, None);
        /// # Ok::<(), std::io::Error>(())
        /// ```
        pub fn write_timeout(&self) -> io::Result<Option<Duration>> {
            Ok(self.0.source().timeout(Direction::Write))
        }

        /// Lets all reads fail with [`ErrorKind::TimedOut`](io::ErrorKind::TimedOut) from `deadline` on, those that
        /// wait already included; `None` takes it back.
        ///
        /// # Compared with Go
        /// `SetReadDeadline`: a deadline that has passed fails at once, whatever there is to read, and can be set to
        /// interrupt a goroutine that is blocked.
        ///
        #[doc = concat!("```\n", $make)]
        /// socket.set_read_deadline(Some(std::time::Instant::now()));
        /// # Ok::<(), std::io::Error>(())
        /// ```
        pub fn set_read_deadline(&self, deadline: Option<Instant>) {
            self.0.source().set_deadline(Direction::Read, deadline);
        }

        /// As [`set_read_deadline`](Self::set_read_deadline), for writes.
        ///
        #[doc = concat!("```\n", $make)]
        /// socket.set_write_deadline(Some(std::time::Instant::now()));
        /// # Ok::<(), std::io::Error>(())
        /// ```
        pub fn set_write_deadline(&self, deadline: Option<Instant>) {
            self.0.source().set_deadline(Direction::Write, deadline);
        }

        /// Both deadlines at once.
        ///
        /// # Compared with Go
        /// `SetDeadline`
        ///
        #[doc = concat!("```\n", $make)]
        /// socket.set_deadline(Some(std::time::Instant::now()));
        /// # Ok::<(), std::io::Error>(())
        /// ```
        pub fn set_deadline(&self, deadline: Option<Instant>) {
            self.0.set_deadline(deadline);
        }
    };
}

/// `Read` and `Write` for a stream and for a shared reference to it.
macro_rules! read_write {
    ($name:ident) => {
        impl Read for &$name {
            #[inline]
            fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                self.0.read_stream(|mut io| io.read(buf))
            }

            fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                self.0.read_stream(|mut io| io.read_vectored(bufs))
            }
        }

        impl Write for &$name {
            #[inline]
            fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
                self.0.write(|mut io| io.write(buf))
            }

            fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
                self.0.write(|mut io| io.write_vectored(bufs))
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        impl Read for $name {
            #[inline]
            fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                (&*self).read(buf)
            }

            fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                (&*self).read_vectored(bufs)
            }
        }

        impl Write for $name {
            #[inline]
            fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
                (&*self).write(buf)
            }

            fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
                (&*self).write_vectored(bufs)
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
    };
}

/// Delegates to the socket of `std`: settings that never wait.
macro_rules! settings {
    ($make:literal; $($(#[$doc:meta])* fn $name:ident($($arg:ident: $ty:ty),*) -> $ret:ty = $example:literal;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            /// Those of the system.
            ///
            #[doc = concat!("```\n", $make, "\n", $example)]
            /// # Ok::<(), std::io::Error>(())
            /// ```
            pub fn $name(&self $(, $arg: $ty)*) -> io::Result<$ret> {
                self.0.io().$name($($arg),*)
            }
        )*
    };
}

pub(super) use {common, conversions, limits, read_write, settings};
