;; The two inner loops of a search, sixteen bytes at a time. `npm run build:kernels` makes vector-kernels.wasm.ts of it.
;; Everything lies in one memory, which the caller lays out (vector-kernels.ts).
(module
  (memory (export "memory") 7)

  ;; For each of `count` codes of `blocks` times 128 bits from `codes` on: in how many bits it differs from the code at
  ;; `question`, as a 16-bit number from `out` on.
  (func (export "differences")
    (param $codes i32) (param $question i32) (param $count i32) (param $blocks i32) (param $out i32)
    (local $block i32) (local $end i32) (local $sum v128)
    (local.set $end (i32.add (local.get $out) (i32.shl (local.get $count) (i32.const 1))))
    (block $done
      (loop $code
        (br_if $done (i32.ge_u (local.get $out) (local.get $end)))
        (local.set $sum (v128.const i32x4 0 0 0 0))
        (local.set $block (i32.const 0))
        (loop $next
          ;; Ones in each byte, added up in pairs: eight 16-bit sums, which hold 4,096 blocks.
          (local.set $sum
            (i16x8.add
              (local.get $sum)
              (i16x8.extadd_pairwise_i8x16_u
                (i8x16.popcnt
                  (v128.xor
                    (v128.load (local.get $codes))
                    (v128.load (i32.add (local.get $question) (i32.shl (local.get $block) (i32.const 4)))))))))
          (local.set $codes (i32.add (local.get $codes) (i32.const 16)))
          (local.set $block (i32.add (local.get $block) (i32.const 1)))
          (br_if $next (i32.lt_u (local.get $block) (local.get $blocks))))
        (local.set $sum (i32x4.extadd_pairwise_i16x8_u (local.get $sum)))
        (i32.store16
          (local.get $out)
          (i32.add
            (i32.add (i32x4.extract_lane 0 (local.get $sum)) (i32x4.extract_lane 1 (local.get $sum)))
            (i32.add (i32x4.extract_lane 2 (local.get $sum)) (i32x4.extract_lane 3 (local.get $sum)))))
        (local.set $out (i32.add (local.get $out) (i32.const 2)))
        (br $code))))

  ;; The product of two vectors of `bytes` bytes, a multiple of 32: what is missing there is zero.
  (func (export "product") (param $a i32) (param $b i32) (param $bytes i32) (result f32)
    (local $end i32) (local $even v128) (local $odd v128)
    (local.set $end (i32.add (local.get $a) (local.get $bytes)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $a) (local.get $end)))
        (local.set $even
          (f32x4.add (local.get $even) (f32x4.mul (v128.load (local.get $a)) (v128.load (local.get $b)))))
        (local.set $odd
          (f32x4.add
            (local.get $odd)
            (f32x4.mul (v128.load offset=16 (local.get $a)) (v128.load offset=16 (local.get $b)))))
        (local.set $a (i32.add (local.get $a) (i32.const 32)))
        (local.set $b (i32.add (local.get $b) (i32.const 32)))
        (br $next)))
    (local.set $even (f32x4.add (local.get $even) (local.get $odd)))
    (f32.add
      (f32.add (f32x4.extract_lane 0 (local.get $even)) (f32x4.extract_lane 1 (local.get $even)))
      (f32.add (f32x4.extract_lane 2 (local.get $even)) (f32x4.extract_lane 3 (local.get $even))))))
