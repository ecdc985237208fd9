// Rust's hyper on tokio, on one thread: a task per URL.

use hyper::{body::HttpBody, client::HttpConnector, Body, Client, Request};
use std::{error::Error, time::Duration};

async fn is_ok(client: &Client<HttpConnector>, url: &str) -> Result<bool, Box<dyn Error>> {
    let request = Request::get(url).header("User-Agent", "sync-desert/peer-rust");
    let mut answer = client.request(request.body(Body::empty())?).await?;
    while let Some(piece) = answer.data().await {
        piece?;
    }
    Ok(answer.status() == 200)
}

async fn fetch(client: Client<HttpConnector>, url: String) {
    let ok = tokio::time::timeout(Duration::from_secs(30), is_ok(&client, &url)).await;
    println!("{} {}", url, if matches!(ok, Ok(Ok(true))) { "OK" } else { "Bad" });
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let client = Client::builder().pool_max_idle_per_host(0).build_http();
    let start = |url| tokio::task::spawn_local(fetch(client.clone(), url));
    let tasks = tokio::task::LocalSet::new();
    let all: Vec<_> = tasks.run_until(async { std::env::args().skip(1).map(start).collect() }).await;
    tasks.run_until(async { for one in all { let _ = one.await; } }).await;
}
