-- SPDX-License-Identifier: MIT
-- What a function does with what it cannot take, where it has words only: raises them, or answers nil and them.

local refusal = {}

local function check_words(err, words)
  local text = tostring(err)
  assert(text:find(words, 1, true), ("expected %q in: %s"):format(words, text))
end

--- The call must raise what has these words in it. -> what it raised
function refusal.raises(words, call, ...)
  local ok, err = pcall(call, ...)
  assert(not ok, "expected an error to be raised")
  check_words(err, words)
  return err
end

--- What a call answered must be nil and a text with these words in it.
function refusal.refused(words, ...)
  local count, value, why = select("#", ...), ...
  assert(count == 2 and value == nil, ("expected nil and words, got %d: %s"):format(count, tostring(value)))
  check_words(why, words)
end

return refusal
