//! The echo of `../../../suite/sockets.rs`.

use crate::talk::{CONNECTIONS, MESSAGE, share};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn answer(mut stream: TcpStream) {
    let mut message = [0; MESSAGE];
    while stream.read_exact(&mut message).await.is_ok() {
        stream.write_all(&message).await.unwrap();
    }
}

async fn ask(address: SocketAddr, messages: u64) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    for i in 0..messages {
        let sent = [i as u8; MESSAGE];
        stream.write_all(&sent).await.unwrap();
        let mut back = [0; MESSAGE];
        stream.read_exact(&mut back).await.unwrap();
        assert_eq!(back, sent);
    }
}

pub async fn echoes(n: u64) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        for _ in 0..CONNECTIONS {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(answer(stream));
        }
    });
    let clients: Vec<_> = (0..CONNECTIONS).map(|client| tokio::spawn(ask(address, share(n, client)))).collect();
    for client in clients {
        client.await.unwrap();
    }
    server.await.unwrap();
}
