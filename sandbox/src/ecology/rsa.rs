//! RSA with the made-up key of this simulator: the half that opens what was encrypted for it.

use num_bigint::BigUint;

/// Our public key, as a registration tells it: X.509, base64.
pub(super) const SPK: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC1mEv4ozfcVV9S204p6wTAmRvWgyxPT2HvUk/6w/BfENyRZOLQM6fGfC/xop82CE8KW3zEEzXZsV6Fa4bDnhDoCvkcXos8dVKXDKC2qlCMZT7v/8MhBzxQWVMVFCCCClkHuZTc8JY9sWfVHsWvpFwHedqoUBkGHB7uj/jqkjdkxQIDAQAB";

/// Modulus of the key, 1024 bits.
const MODULUS: &[u8] = b"\
    b5984bf8a337dc555f52db4e29eb04c0991bd6832c4f4f61ef524ffac3f05f10\
    dc9164e2d033a7c67c2ff1a29f36084f0a5b7cc41335d9b15e856b86c39e10e8\
    0af91c5e8b3c7552970ca0b6aa508c653eefffc321073c505953151420820a59\
    07b994dcf0963db167d51ec5afa45c0779daa85019061c1eee8ff8ea923764c5";
/// Its private exponent.
const PRIVATE: &[u8] = b"\
    ae8ffb1fc50e92b04294ec99e3b3b6fac973b82e9a2e9739a68bf2b4351c60d6\
    5da12a60da117dcb505fea211079295d89b04e6c51a7275fd863daec4e292947\
    b60c6c2cc46d3d4c72a8ce2213002273df7ce26cfe168eda5a85716555e73161\
    e5c39701990d0778655972bdd70a98ed6bc22506776448ea7144d42f5af91a95";
/// Bytes of the modulus.
const LENGTH: usize = 128;

/// What a text was before it was encrypted under [`SPK`] with PKCS#1 v1.5 padding; `None` when it was not.
pub(super) fn decrypt(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() != LENGTH {
        return None;
    }
    let [modulus, private] =
        [MODULUS, PRIVATE].map(|hex| BigUint::parse_bytes(hex, 16).expect("hexadecimal digits"));
    let number = BigUint::from_bytes_be(text);
    if number >= modulus {
        return None;
    }
    // A power below the modulus; the two bytes in front are 0 and 2, and the 0 is not part of the number.
    let block = number.modpow(&private, &modulus).to_bytes_be();
    let rest = block.strip_prefix(&[2]).filter(|_| block.len() == LENGTH - 1)?;
    let end = rest.iter().position(|byte| *byte == 0).filter(|end| *end >= 8)?;
    Some(rest[end + 1..].to_vec())
}
