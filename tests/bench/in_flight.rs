//! The CPU time of a command by the number of tickets in flight, without crews and with crews on shift, and the memory
//! of an open ticket.
//!
//! The measured tickets are received, classified, dispatched and withdrawn, so that the number of open tickets does not
//! grow. `IN_FLIGHT=` lists the numbers of open tickets, `IN_FLIGHT_CREWS=` is the number of crews, and `AGAINST=`
//! names another binary.

use std::{path::Path, time::Duration};

use switchboard_wire::proto::dispatch_service_client::DispatchServiceClient;
use tonic::transport::Endpoint;

use crate::{
    Outcome,
    engine::{Contender, cpu_us, listed},
    load::Last,
    offers, setting,
    stats::{Slice, median, ratio_line},
};

/// The number of concurrent callers.
const CALLERS: usize = 64;

pub async fn run(folder: &Path, slice: Duration, pairs: usize) -> Outcome<()> {
    println!("\n# A command while more tickets are in flight, {CALLERS} callers");
    println!("{:>6} {:>9} {:>8} {:>10} {:>9} {:>10}", "crews", "in flight", "", "commands/s", "cpu us", "MiB");
    let crews = setting("IN_FLIGHT_CREWS", 200);
    for crews in [0, crews] {
        let contenders = Contender::all(&folder.join(crews.to_string())).await?;
        for contender in &contenders {
            let channel = Endpoint::from_shared(contender.server.endpoint.clone())?.connect().await?;
            for number in 0..crews {
                offers::begin(DispatchServiceClient::new(channel.clone()), number).await?;
            }
        }
        let mut sizes = Vec::new();
        for tickets in listed("IN_FLIGHT", &[1_000, 10_000, 100_000]) {
            level(&contenders, crews, tickets, slice, pairs).await?;
            sizes.push((tickets, contenders.iter().map(|one| one.server.memory("VmRSS")).collect::<Vec<_>>()));
        }
        if let [first, .., last] = sizes.as_slice() {
            for (at, contender) in contenders.iter().enumerate() {
                let kib = (last.1[at] - first.1[at]) * 1024.0 / (last.0 - first.0) as f64;
                println!("{crews:>6} {}: {kib:.2} KiB of memory per open ticket", contender.name);
            }
        }
        for contender in contenders {
            contender.server.stop()?;
        }
    }
    Ok(())
}

async fn level(contenders: &[Contender], crews: usize, tickets: usize, slice: Duration, pairs: usize) -> Outcome<()> {
    for contender in contenders {
        contender.load.fill(CALLERS, tickets as u64).await?;
        contender.slice(CALLERS, slice / 2, Last::Withdraw).await?;
    }
    let mut measured: Vec<Vec<Slice>> = contenders.iter().map(|_| Vec::new()).collect();
    for pair in 0..pairs {
        let mut order: Vec<usize> = (0..contenders.len()).collect();
        if pair % 2 == 1 {
            order.reverse();
        }
        for at in order {
            measured[at].push(contenders[at].slice(CALLERS, slice, Last::Withdraw).await?);
        }
    }
    for (contender, slices) in contenders.iter().zip(&measured) {
        println!(
            "{crews:>6} {tickets:>9} {:>8} {:>10.0} {:>9.1} {:>10.1}",
            contender.name,
            median(slices.iter().map(Slice::rate)),
            median(slices.iter().map(cpu_us)),
            contender.server.memory("VmRSS")
        );
    }
    if let [ours, theirs] = measured.as_slice() {
        let ratio = ratio_line(ours.iter().zip(theirs).map(|(a, b)| cpu_us(a) / cpu_us(b)));
        println!("{:>25} CPU per command {ratio}", "ours : against");
    }
    Ok(())
}
