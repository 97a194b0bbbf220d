//! Examples for the parts of the search.

use super::toy::Toy;
use crate::search::{
    Order, Settings,
    acceptance::Acceptance,
    board::{Board, NOWHERE},
    chance::{Blinks, Chance},
    model::Model,
    quotes::Quotes,
    recreate::Recreate,
    ruin::ruin,
};

fn six_in_two_routes() -> (Toy, Board<Option<Vec<u32>>>) {
    let toy = Toy::line(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 3);
    let board = Board::new(&toy, &[vec![0, 1, 2, 3], vec![4, 5]]);
    (toy, board)
}

type Standing = (Vec<(Vec<u32>, f64, u64)>, Vec<u32>, Vec<u32>, f64, f64);

fn standing(board: &Board<Option<Vec<u32>>>) -> Standing {
    let routes = board.routes().iter().map(|route| (route.stops.clone(), route.price, route.version)).collect();
    let mut absent = board.absent().to_vec();
    absent.sort_unstable();
    (routes, (0..7).map(|job| board.place(job)).collect(), absent, board.stops_mean(), board.price())
}

#[test]
fn what_is_taken_back_leaves_no_trace() {
    let (toy, mut board) = six_in_two_routes();
    let before = standing(&board);
    assert_eq!(before.1, [0, 0, 0, 0, 1, 1, NOWHERE]);
    let mut chance = Chance::new(1);
    for _ in 0..200 {
        board.begin();
        ruin(&toy, &Settings::default(), &mut board, &mut chance);
        assert_ne!(standing(&board), before, "nothing was torn out");
        board.put(&toy, 2, 0, 6);
        let torn = board.absent()[0];
        board.put(&toy, chance.below(3) as u32, 0, torn);
        board.take_back();
        assert_eq!(standing(&board), before);
    }
}

#[test]
fn a_ruin_tears_out_about_as_many_as_it_is_told() {
    let toy = Toy::line(&(0..100).map(f64::from).collect::<Vec<_>>(), 10);
    let plan: Vec<Vec<u32>> = (0..10).map(|route| (route * 10..route * 10 + 10).collect()).collect();
    let mut board = Board::new(&toy, &plan);
    let mut chance = Chance::new(1);
    for (ruined_mean, expected) in [(10.0, 8.0..12.0), (20.0, 17.0..23.0)] {
        let settings = Settings { ruined_mean, ..Settings::default() };
        let mut torn = 0;
        for _ in 0..1000 {
            board.begin();
            ruin(&toy, &settings, &mut board, &mut chance);
            torn += board.absent().len();
            board.take_back();
        }
        let mean = torn as f64 / 1000.0;
        assert!(expected.contains(&mean), "{mean} torn out where {ruined_mean} were asked for");
    }
}

#[test]
fn a_split_string_leaves_stops_standing_within_it() {
    let toy = Toy::line(&(0..8).map(f64::from).collect::<Vec<_>>(), 1);
    let mut board = Board::new(&toy, &[(0..8).collect()]);
    let mut chance = Chance::new(1);
    for (split_chance, holes) in [(0.0, false), (1.0, true)] {
        let settings = Settings { split_chance, ..Settings::default() };
        let mut split = 0;
        for _ in 0..200 {
            board.begin();
            ruin(&toy, &settings, &mut board, &mut chance);
            let torn = board.absent();
            let (first, last) = (torn.iter().min().unwrap(), torn.iter().max().unwrap());
            split += usize::from((last - first) as usize >= torn.len());
            board.take_back();
        }
        assert_eq!(split > 50, holes, "{split} of 200 were split");
    }
}

#[test]
fn a_quote_holds_for_one_content_of_one_route() {
    let mut quotes = Quotes::new(3, 2);
    let mut asked = 0;
    let mut get = |job, route, version, answer| {
        let ask = || {
            asked += 1;
            answer
        };
        (quotes.get(job, route, version, ask), asked)
    };
    assert_eq!(get(2, 1, 7, Some((3, 1.5))), ((3, 1.5), 1));
    assert_eq!(get(2, 1, 7, None), ((3, 1.5), 1));
    assert_eq!(get(2, 1, 8, None), ((0, f64::INFINITY), 2));
    assert_eq!(get(2, 1, 8, Some((1, 0.0))), ((0, f64::INFINITY), 2));
    assert_eq!(get(1, 1, 8, Some((1, 0.0))), ((1, 0.0), 3));
}

#[test]
fn two_contents_never_have_the_same_version_and_an_empty_route_always_has() {
    let (toy, mut board) = six_in_two_routes();
    let mut versions: Vec<u64> = board.routes().iter().map(|route| route.version).collect();
    let empty = versions[2];
    board.begin();
    for _ in 0..3 {
        board.put(&toy, 2, 0, 6);
        versions.push(board.route(2).version);
        board.tear(&toy, 2, 0, 1);
        board.reprice(&toy, 2);
        assert_eq!(board.route(2).version, empty);
    }
    let count = versions.len();
    versions.sort_unstable();
    versions.dedup();
    assert_eq!(versions.len(), count);
}

#[test]
fn blinks_come_as_often_as_said() {
    let mut chance = Chance::new(1);
    for (probability, expected) in [(0.0, 0..=0), (0.01, 800..=1200), (0.5, 49_000..=51_000), (1.0, 100_000..=100_000)]
    {
        let mut blinks = Blinks::new(probability, &mut chance);
        let seen = (0..100_000).filter(|_| blinks.blink(&mut chance)).count();
        assert!(expected.contains(&seen), "{seen} blinks at {probability}");
        // The same with whole routes of ten positions.
        let mut closed = 0;
        for _ in 0..10_000 {
            if !blinks.none_within(10) {
                closed += (0..10).filter(|_| blinks.blink(&mut chance)).count();
            }
        }
        assert!(expected.contains(&closed), "{closed} blinks at {probability}, by routes");
    }
}

#[test]
fn orders_are_drawn_by_their_weights() {
    let mut chance = Chance::new(1);
    let recreate = Recreate::new(&[(Order::Demand, 0), (Order::Far, 3), (Order::Close, 1), (Order::Due, 0)]);
    let drawn: Vec<Order> = (0..1000).map(|_| recreate.order(&mut chance)).collect();
    let of = |order| drawn.iter().filter(|drawn| **drawn == order).count();
    assert!((700..800).contains(&of(Order::Far)), "{}", of(Order::Far));
    assert_eq!(of(Order::Far) + of(Order::Close), 1000);
    assert_eq!(Recreate::new(&[]).order(&mut chance), Order::Random);
}

#[test]
fn the_colder_the_less_is_let_through() {
    let acceptance = Acceptance::new(100.0, 1.0);
    assert_eq!([0.0, 0.5, 1.0, 2.0].map(|progress| acceptance.temperature(progress).round()), [100.0, 10.0, 1.0, 1.0]);
    assert_eq!(Acceptance::new(8.0, 0.0).temperature(0.25), 6.0);
    let mut chance = Chance::new(1);
    let mut let_through =
        |temperature| (0..1000).filter(|_| acceptance.lets(110.0, 100.0, temperature, &mut chance)).count();
    assert_eq!(let_through(0.0), 0);
    // exp(-1) and exp(-1/10) of a thousand.
    assert!((330..410).contains(&let_through(10.0)));
    assert!((880..930).contains(&let_through(100.0)));
    assert!(acceptance.lets(100.0, 100.0, 0.0, &mut chance), "what is no dearer is always let through");
}

#[test]
fn a_number_below_none_is_none() {
    let mut chance = Chance::new(1);
    assert_eq!(chance.below(0), 0);
    assert!((0..1000).all(|_| chance.below(3) < 3 && (0.0..1.0).contains(&chance.unit())));
    assert_eq!(Toy::line(&[], 3).jobs(), 0);
}
