//! What the server makes of expressions: many as the columns of one statement, one by one where that fails.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Answer;
use super::wire::{Reply, Wire};

/// How a session is set up; printed beside every difference, so that it can be tried by hand. The longest statement
/// counts to 4294967295 in a loop, some seconds on a free machine.
pub const SETTINGS: &str = "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci, time_zone = 'Asia/Shanghai', \
                            timestamp = 1700000000.1, max_statement_time = 60";

/// Columns of one statement. Some expressions are refused, and with them the whole statement: small enough that
/// most statements pass.
const COLUMNS: usize = 24;

/// The server's side.
#[derive(Debug)]
pub struct Server {
    wire: Wire,
    socket: PathBuf,
}

/// Times we look whether a server that ended is back, a tenth of a second apart.
const PATIENCE: u32 = 300;

impl Server {
    /// Connects to a private server and sets its clock.
    pub fn connect(socket: &Path) -> io::Result<Server> {
        let mut wire = Wire::connect(socket)?;
        match wire.query(SETTINGS)? {
            Reply::Row(_) => Ok(Server {
                wire,
                socket: socket.to_owned(),
            }),
            Reply::Refused(code, words) => Err(io::Error::other(format!("{code}: {words}"))),
        }
    }

    /// `VERSION()`.
    pub fn version(&mut self) -> io::Result<String> {
        self.answer("VERSION()").map(|answer| answer.to_string())
    }

    /// The answers to some expressions, in their order.
    pub fn answers(&mut self, texts: &[String]) -> io::Result<Vec<Answer>> {
        let mut answers = Vec::with_capacity(texts.len());
        for some in texts.chunks(COLUMNS) {
            self.some(some, &mut answers)?;
        }
        Ok(answers)
    }

    /// The answer to one expression.
    pub fn answer(&mut self, text: &str) -> io::Result<Answer> {
        let mut answers = Vec::with_capacity(1);
        self.some(std::slice::from_ref(&text.to_owned()), &mut answers)?;
        Ok(answers.swap_remove(0))
    }

    /// The reply to a statement; `None` when the server ended on it, and is there again.
    fn query(&mut self, sql: &str) -> io::Result<Option<Reply>> {
        let lost = match self.wire.query(sql) {
            Ok(reply) => return Ok(Some(reply)),
            Err(lost) => lost,
        };
        for _ in 0..PATIENCE {
            if let Ok(server) = Server::connect(&self.socket) {
                *self = server;
                return Ok(None);
            }
            #[expect(
                clippy::disallowed_methods,
                reason = "waits for a process that tells nobody when it is ready"
            )]
            std::thread::sleep(Duration::from_millis(100));
        }
        Err(lost)
    }

    /// Halves what is refused until the guilty one stands alone.
    fn some(&mut self, texts: &[String], answers: &mut Vec<Answer>) -> io::Result<()> {
        let reply = self.query(&format!("SELECT {}", texts.join(", ")))?;
        let Some(reply) = reply else {
            if texts.len() == 1 {
                answers.push(Answer::Lost);
                return Ok(());
            }
            let (first, second) = texts.split_at(texts.len() / 2);
            self.some(first, answers)?;
            return self.some(second, answers);
        };
        match reply {
            // An expression with a comma or a comment in the wrong place is refused with the others; one that is
            // taken for two columns would shift them all.
            Reply::Row(cells) if cells.len() == texts.len() => answers.extend(cells.into_iter().map(printed)),
            Reply::Row(_) if texts.len() == 1 => answers.push(Answer::Failed("several columns".to_owned())),
            Reply::Refused(code, _) if texts.len() == 1 => answers.push(Answer::Failed(code.to_string())),
            Reply::Row(_) | Reply::Refused(..) => {
                let (first, second) = texts.split_at(texts.len() / 2);
                self.some(first, answers)?;
                self.some(second, answers)?;
            }
        }
        Ok(())
    }
}

fn printed(cell: Option<Vec<u8>>) -> Answer {
    cell.map_or(Answer::Null, Answer::printed)
}
