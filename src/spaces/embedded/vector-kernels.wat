;; The inner loops of a search. `node scripts/assemble-kernels.mjs` makes vector-kernels.wasm.ts of it.
;; Everything lies in one memory, which the caller lays out (vector-kernels.ts). Codes are whole blocks of 128 bits; counting
;; them by 64 takes three fifths of what counting them by 128 does, as processors have an instruction for it.
(module
  (memory (export "memory") 12)

  ;; For each of `count` codes of `bytes` bytes from `codes` on: in how many bits it differs from the code at `question`, as
  ;; a 16-bit number from `out` on.
  (func (export "differences")
    (param $codes i32) (param $question i32) (param $count i32) (param $bytes i32) (param $out i32)
    (local $asked i32) (local $asked_end i32) (local $end i32) (local $sum i64)
    (local.set $end (i32.add (local.get $out) (i32.shl (local.get $count) (i32.const 1))))
    (local.set $asked_end (i32.add (local.get $question) (local.get $bytes)))
    (block $done
      (loop $code
        (br_if $done (i32.ge_u (local.get $out) (local.get $end)))
        (local.set $sum (i64.const 0))
        (local.set $asked (local.get $question))
        (loop $next
          (local.set $sum
            (i64.add
              (local.get $sum)
              (i64.add
                (i64.popcnt (i64.xor (i64.load (local.get $codes)) (i64.load (local.get $asked))))
                (i64.popcnt
                  (i64.xor (i64.load offset=8 (local.get $codes)) (i64.load offset=8 (local.get $asked)))))))
          (local.set $codes (i32.add (local.get $codes) (i32.const 16)))
          (local.set $asked (i32.add (local.get $asked) (i32.const 16)))
          (br_if $next (i32.lt_u (local.get $asked) (local.get $asked_end))))
        (i64.store16 (local.get $out) (local.get $sum))
        (local.set $out (i32.add (local.get $out) (i32.const 2)))
        (br $code))))

  ;; Each of `count` codes beside each of the codes of `questions` .. `questions_end`: where they differ in no more bits than
  ;; the 64-bit numbers from `bounds` on allow, one for each block and those before it, eight bytes from `out` on: which
  ;; code, at which byte of the questions, in how many bits. Gives the end of what it has written.
  (func (export "within")
    (param $codes i32) (param $count i32) (param $questions i32) (param $questions_end i32) (param $bytes i32)
    (param $bounds i32) (param $out i32) (result i32)
    (local $at i32) (local $code i32) (local $code_end i32) (local $question i32) (local $asked i32) (local $bound i32)
    (local $sum i64)
    (block $done
      (loop $next_code
        (br_if $done (i32.ge_u (local.get $at) (local.get $count)))
        (local.set $code_end (i32.add (local.get $codes) (local.get $bytes)))
        (local.set $question (local.get $questions))
        (loop $next_question
          (local.set $sum (i64.const 0))
          (local.set $code (local.get $codes))
          (local.set $asked (local.get $question))
          (local.set $bound (local.get $bounds))
          (block $far
            (loop $next
              (local.set $sum
                (i64.add
                  (local.get $sum)
                  (i64.add
                    (i64.popcnt (i64.xor (i64.load (local.get $code)) (i64.load (local.get $asked))))
                    (i64.popcnt
                      (i64.xor (i64.load offset=8 (local.get $code)) (i64.load offset=8 (local.get $asked)))))))
              (br_if $far (i64.gt_u (local.get $sum) (i64.load (local.get $bound))))
              (local.set $bound (i32.add (local.get $bound) (i32.const 8)))
              (local.set $code (i32.add (local.get $code) (i32.const 16)))
              (local.set $asked (i32.add (local.get $asked) (i32.const 16)))
              (br_if $next (i32.lt_u (local.get $code) (local.get $code_end))))
            (i32.store (local.get $out) (local.get $at))
            (i32.store16 offset=4 (local.get $out) (i32.sub (local.get $question) (local.get $questions)))
            (i64.store16 offset=6 (local.get $out) (local.get $sum))
            (local.set $out (i32.add (local.get $out) (i32.const 8))))
          (local.set $question (i32.add (local.get $question) (local.get $bytes)))
          (br_if $next_question (i32.lt_u (local.get $question) (local.get $questions_end))))
        (local.set $codes (local.get $code_end))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next_code)))
    (local.get $out))

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
