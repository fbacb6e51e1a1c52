//! RSA encryption with a public key, as vendors of office systems want it: PKCS#1 v1.5 padding.
//!
//! Only the public half is ever here. The weakness of such padding (an attacker who can ask a server whether a text was
//! padded well) lies with whoever decrypts, and so does the timing of private keys (RUSTSEC-2023-0071): a key of
//! another system, a random padding and one power modulo its modulus leave nothing of ours to be measured. That is why
//! no crate of RSA is below us.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use num_bigint::BigUint;

/// Bytes of a modulus: 512 bits were broken long ago, and above 8192 a call would take seconds.
const MODULUS: std::ops::RangeInclusive<usize> = 64..=1024;
/// Bytes that are no message and no random padding: `00 02`, and `00` between the two.
const FRAME: usize = 3;
/// Least random bytes of a padding (RFC 8017, 7.2.1).
const PADDING_MIN: usize = 8;

/// A public key.
pub(super) struct PublicKey {
    modulus: BigUint,
    exponent: BigUint,
    length: usize,
}

impl PublicKey {
    /// Reads an X.509 `SubjectPublicKeyInfo`, or the bare PKCS#1 key, in base64 with or without the lines of PEM.
    pub(super) fn read(text: &str) -> Option<PublicKey> {
        let lines = text.lines().map(str::trim);
        let base64: String = lines.filter(|line| !line.starts_with("-----")).collect();
        let der = STANDARD.decode(base64.replace(' ', "")).ok()?;
        let (outer, _) = part(&der, SEQUENCE)?;
        let key = match part(outer, INTEGER) {
            Some(_) => outer,
            None => {
                let (algorithm, rest) = part(outer, SEQUENCE)?;
                let (oid, _) = part(algorithm, OID)?;
                let (bits, _) = part(rest, BIT_STRING).filter(|_| oid == RSA)?;
                part(bits.strip_prefix(&[0])?, SEQUENCE)?.0
            }
        };
        let (modulus, rest) = part(key, INTEGER)?;
        let (exponent, _) = part(rest, INTEGER)?;
        let (modulus, exponent) = (BigUint::from_bytes_be(modulus), BigUint::from_bytes_be(exponent));
        let length = usize::try_from(modulus.bits().div_ceil(8)).ok()?;
        let is_odd = |number: &BigUint| number.bit(0);
        // An even modulus is no product of two primes, and an exponent of 1 would send the message in clear.
        let fine = MODULUS.contains(&length)
            && is_odd(&modulus)
            && is_odd(&exponent)
            && exponent > BigUint::from(1_u8)
            && exponent.bits() <= 64;
        fine.then_some(PublicKey {
            modulus,
            exponent,
            length,
        })
    }

    /// Random bytes that a message of this length is padded with; `None` when it is too long.
    pub(super) fn padding(&self, message: usize) -> Option<usize> {
        self.length
            .checked_sub(message + FRAME)
            .filter(|padding| *padding >= PADDING_MIN)
    }

    /// A message, encrypted. `noise` are the random bytes, as many as [`PublicKey::padding`] says and none of them zero.
    pub(super) fn encrypt(&self, message: &[u8], noise: &[u8]) -> Vec<u8> {
        let block = [&[0, 2][..], noise, &[0], message].concat();
        let power = BigUint::from_bytes_be(&block).modpow(&self.exponent, &self.modulus);
        let bytes = power.to_bytes_be();
        let zeros = vec![0; self.length.saturating_sub(bytes.len())];
        [zeros, bytes].concat()
    }
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OID: u8 = 0x06;
/// 1.2.840.113549.1.1.1
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// The contents of the first element of a DER text, when it has this tag, and what follows it.
fn part(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = der.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match *length {
        short @ 0..=0x7f => (usize::from(short), rest),
        // Two bytes say up to 64 KiB; a key has two.
        0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x82 => (
            usize::from(*rest.first()?) << 8 | usize::from(*rest.get(1)?),
            rest.get(2..)?,
        ),
        _ => return None,
    };
    let contents = rest.get(..length).filter(|_| *first == tag)?;
    Some((contents, &rest[length..]))
}
