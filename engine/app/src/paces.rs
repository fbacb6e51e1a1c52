//! Which queues a call waits in before it goes out.
//!
//! A rate is counted by whatever the vendor counts it by: one credential, one application with many credentials, or
//! each interface by itself. An operation may have a rate of its own below that, and the login too. Queues are entered
//! from the narrow one to the wide one, so that nobody holds a place of the wide one while waiting for another.
//!
//! What a refusal teaches, the queue that the rates belong to learns.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use connector::{Connection, Limits, Rate, Scope};
use transport::{Gate, Limiter, Pass};

/// What a call is, as far as limits go.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lane<'a> {
    /// A call of an operation: any of its names.
    Call(&'a str),
    /// A login.
    Login,
}

/// The queues of one credential.
#[derive(Debug)]
pub(crate) struct Paces {
    scope: Scope,
    /// Calls at once, and the rates where they are counted by credential.
    token: Gate,
    /// The rates where they are counted by application; every credential of it holds the same one.
    app: Option<Arc<Gate>>,
    /// What this credential's own file says of them, where another one's came first.
    own: Option<Arc<Gate>>,
    /// The rates where each interface has its own: by path.
    paths: BTreeMap<String, Gate>,
    /// By the operation's name.
    operations: BTreeMap<String, Gate>,
    logins: Option<Arc<Gate>>,
}

/// The right to make one call; it counts everywhere until dropped.
#[derive(Debug)]
pub(crate) struct Turn<'a>(Vec<Pass<'a>>);

impl Turn<'_> {
    /// The call is not made after all, and does not count.
    pub(crate) fn give_back(self) {
        for pass in self.0 {
            pass.give_back();
        }
    }
}

impl Paces {
    /// The queues of a credential that all these connections use: what they say of its limits holds together. A part
    /// of the rates where `percent` is less than a hundred, and then for the credential alone: whoever takes a part
    /// leaves the rest to others.
    pub(crate) fn new<'a>(connections: impl IntoIterator<Item = &'a Connection>, percent: u8) -> Self {
        let connections: Vec<&Connection> = connections.into_iter().collect();
        let scope = match percent {
            100.. => connections
                .first()
                .map_or(Scope::Token, |first| first.limits.scope),
            _ => Scope::Token,
        };
        let rates: Vec<Rate> = connections
            .iter()
            .flat_map(|one| &one.limits.rates)
            .copied()
            .collect();
        let at_once = connections
            .iter()
            .map(|one| at_once(&one.limits))
            .min()
            .unwrap_or(1);
        let interfaces = || connections.iter().flat_map(|one| one.connector.interfaces());
        let mut paths = BTreeMap::new();
        if scope == Scope::Path {
            for (_, path, _) in interfaces() {
                let gate = || Gate::new(Limiter::new(&part(&rates, percent), at_once));
                paths.entry(path.to_owned()).or_insert_with(gate);
            }
        }
        let mut operations = BTreeMap::new();
        for (name, _, own) in interfaces() {
            if !own.rates.is_empty() || own.concurrency.is_some() {
                let most = own.concurrency.map_or(at_once, |_| self::at_once(own));
                let gate = || Gate::new(Limiter::new(&part(&own.rates, percent), most));
                operations.entry(name.to_owned()).or_insert_with(gate);
            }
        }
        let of_logins: Vec<Rate> = connections
            .iter()
            .flat_map(|one| one.login_rates())
            .copied()
            .collect();
        let for_token = if scope == Scope::Token {
            part(&rates, percent)
        } else {
            Vec::new()
        };
        Paces {
            scope,
            token: Gate::new(Limiter::new(&for_token, at_once)),
            app: (scope == Scope::App)
                .then(|| Arc::new(Gate::new(Limiter::new(&part(&rates, percent), usize::MAX)))),
            paths,
            operations,
            own: None,
            logins: (!of_logins.is_empty())
                .then(|| Arc::new(Gate::new(Limiter::new(&part(&of_logins, 100), 1)))),
        }
    }

    /// From now on counts with another credential of the same application.
    pub(crate) fn join(&mut self, other: &Paces) {
        if self.app.is_some()
            && let Some(app) = &other.app
        {
            self.own = self.app.replace(Arc::clone(app));
        }
    }

    /// Waits until a call may be made; first in the queue of its scheme, where that has one.
    pub(crate) async fn enter<'a>(
        &'a self,
        own: Option<&'a Gate>,
        lane: Lane<'_>,
        connection: &Connection,
    ) -> Turn<'a> {
        let mut passes = Vec::new();
        if let Some(own) = own {
            passes.push(own.enter().await);
        }
        for gate in self.queues(lane, connection) {
            passes.push(gate.enter().await);
        }
        Turn(passes)
    }

    /// Waits until a call of any of these operations could be made: every queue that one of them would wait in has room.
    pub(crate) async fn ready(&self, apis: &[&str], connection: &Connection) {
        let mut gates: Vec<&Gate> = Vec::new();
        for api in apis {
            for gate in self.queues(Lane::Call(api), connection) {
                if !gates.iter().any(|known| std::ptr::eq(*known, gate)) {
                    gates.push(gate);
                }
            }
        }
        for gate in gates {
            gate.ready().await;
        }
    }

    /// Logins of both wait in one queue: the other system counts them together.
    pub(crate) fn share_logins(&mut self, other: &Paces) {
        self.logins.clone_from(&other.logins);
    }

    fn queues(&self, lane: Lane<'_>, connection: &Connection) -> impl Iterator<Item = &Gate> {
        let (own, path) = match lane {
            Lane::Login => (self.logins.as_deref(), None),
            Lane::Call(api) => match connection.connector.interface(api) {
                Some((name, path, _)) => (self.operations.get(name), self.paths.get(path)),
                None => (None, None),
            },
        };
        [
            own,
            path,
            Some(&self.token),
            self.own.as_deref(),
            self.app.as_deref(),
        ]
        .into_iter()
        .flatten()
    }

    /// The queue that the rates belong to.
    fn rated(&self, lane: Lane<'_>, connection: &Connection) -> &Gate {
        let path = match lane {
            Lane::Call(api) => connection
                .connector
                .interface(api)
                .and_then(|(_, path, _)| self.paths.get(path)),
            Lane::Login => None,
        };
        match self.scope {
            Scope::Token => &self.token,
            Scope::App => self.app.as_deref().unwrap_or(&self.token),
            Scope::Path => path.unwrap_or(&self.token),
        }
    }

    /// A call was answered, and not with "too many".
    pub(crate) fn let_through(&self, lane: Lane<'_>, connection: &Connection) {
        self.rated(lane, connection).let_through();
    }

    /// A call was refused because there were too many; the far side may say for how long.
    pub(crate) fn refused(&self, lane: Lane<'_>, connection: &Connection, pause: Option<Duration>) {
        let gate = self.rated(lane, connection);
        gate.refused();
        if let Some(pause) = pause {
            gate.hold(pause);
        }
    }
}

fn at_once(limits: &Limits) -> usize {
    limits
        .concurrency
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(1)
}

/// A part of these rates. One too low to be parted is stretched in time.
fn part(rates: &[Rate], percent: u8) -> Vec<transport::Rate> {
    let percent = i64::from(percent.clamp(1, 100));
    let parted =
        |rate: &Rate| transport::Rate::new(usize::try_from(rate.calls).ok()?, rate.per_ms * 100 / percent);
    rates.iter().filter_map(parted).collect()
}

#[cfg(test)]
mod tests;
