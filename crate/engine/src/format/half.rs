//! Half-precision conversion by integer steps, so that loops over it vectorise on every target.

/// 2^112: moves a half's exponent bias (15) to a float's (127).
pub const REBIAS: f32 = f32::from_bits((112 + 127) << 23);

/// The value of a half. Subnormals are exact; infinities and NaN become ±65536 or more, which no sound
/// model file holds.
#[inline(always)]
pub fn f16_to_f32(bits: u16) -> f32 {
    f16_over_rebias(bits) * REBIAS
}

/// The value of a half over [`REBIAS`], exactly: what it is multiplied with can bring that factor along instead.
#[inline(always)]
pub fn f16_over_rebias(bits: u16) -> f32 {
    // The sign, spread over the upper bits, goes where a float has it; the three bits below it are cleared.
    f32::from_bits((i32::from(bits as i16) << 13) as u32 & 0x8fff_ffff)
}

/// The half nearest to `value` (ties to even); beyond ±65504 it is ±65504, so a cache never holds infinity.
#[inline(always)]
pub fn f32_to_f16(value: f32) -> u16 {
    let bits = value.to_bits();
    let sign = ((bits >> 16) & 0x8000) as u16;
    // Scaling down by 2^112 makes the float's own rounding produce the half's subnormals.
    let scaled = (f32::from_bits(bits & 0x7fff_ffff).min(65504.0) * (1.0 / REBIAS)).to_bits();
    let rounded = scaled + 0x0fff + ((scaled >> 13) & 1);
    sign | (rounded >> 13) as u16
}

/// Half-precision number at `offset`, little-endian.
#[inline]
pub(super) fn half_at(bytes: &[u8], offset: usize) -> f32 {
    f16_to_f32(u16::from_le_bytes([bytes[offset], bytes[offset + 1]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finite_half_survives_both_ways() {
        for bits in 0..=u16::MAX {
            let want = half::f16::from_bits(bits);
            if want.is_finite() {
                assert_eq!(f16_to_f32(bits), want.to_f32(), "{bits:#06x}");
                assert_eq!(f32_to_f16(want.to_f32()), bits, "{bits:#06x}");
            }
        }
    }

    #[test]
    fn rounding_matches_the_half_crate_and_saturates() {
        let mut value = 1.0e-9f32;
        while value < 65504.0 {
            let ours = f16_to_f32(f32_to_f16(-value));
            assert_eq!(ours, half::f16::from_f32(-value).to_f32(), "{value}");
            value *= 1.003;
        }
        assert_eq!(f16_to_f32(f32_to_f16(1.0e9)), 65504.0);
    }
}
