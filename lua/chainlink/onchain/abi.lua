-- SPDX-License-Identifier: MIT
-- The few inputs and outputs of the verifier contracts, as hex text without 0x. Outputs are read strictly: Solidity
-- encodes in one way only, and what is not so comes from something else.

local abi = {}

local WORD = 64 -- hex digits
local BYTES_OF_WORD = 32

--- A whole number as a word.
function abi.word(number)
  return ("%064x"):format(number)
end

local function padding(hex)
  return ("0"):rep(-#hex % WORD)
end

-- The tail of a bytes value: its length, the bytes, zeros up to a whole word.
local function tail(hex)
  return abi.word(#hex / 2) .. hex .. padding(hex)
end

--- (bytes)
function abi.bytes(hex)
  return abi.word(BYTES_OF_WORD) .. tail(hex)
end

--- (bytes, bytes)
function abi.two_bytes(first, second)
  local first_tail = tail(first)
  return abi.word(2 * BYTES_OF_WORD) .. abi.word(2 * BYTES_OF_WORD + #first_tail / 2) .. first_tail .. tail(second)
end

-- A bytes[]: its length, an offset for each, their tails.
local function array_tail(list)
  local offsets, tails = {}, {}
  local offset = #list * BYTES_OF_WORD
  for i, hex in ipairs(list) do
    offsets[i], tails[i] = abi.word(offset), tail(hex)
    offset = offset + #tails[i] / 2
  end
  return abi.word(#list) .. table.concat(offsets) .. table.concat(tails)
end

--- (bytes[])
function abi.bytes_array(list)
  return abi.word(BYTES_OF_WORD) .. array_tail(list)
end

--- (bytes, address zero)
function abi.bytes_and_nobody(hex)
  return abi.word(2 * BYTES_OF_WORD) .. abi.word(0) .. tail(hex)
end

--- (bytes[], bytes)
function abi.bytes_array_and_bytes(list, last)
  local list_tail = array_tail(list)
  return abi.word(2 * BYTES_OF_WORD) .. abi.word(2 * BYTES_OF_WORD + #list_tail / 2) .. list_tail .. tail(last)
end

--- A full report of this digest with no blob and no signatures: a question about the digest alone.
function abi.empty_report(digest)
  local zero = abi.word(0)
  local head = 7 * BYTES_OF_WORD
  return digest .. zero .. zero .. abi.word(head) .. abi.word(head + BYTES_OF_WORD)
    .. abi.word(head + 2 * BYTES_OF_WORD) .. zero .. zero .. zero .. zero
end

-- ---- reading ----

--- The word `index` (from 0), or nil.
function abi.word_at(hex, index)
  local word = hex:sub(index * WORD + 1, (index + 1) * WORD)
  return #word == WORD and word or nil
end

--- The number in a word; nil when it is no word, or no number that every Lua has exactly.
function abi.number(word)
  local digits = word and #word == WORD and word:match "^0*(%x*)$"
  if not digits or #digits > 12 then return nil end
  return digits == "" and 0 or tonumber(digits, 16)
end

--- "0x…" of the address in a word, or nil.
function abi.address(word)
  local digits = word and word:match("^" .. ("0"):rep(24) .. "(%x+)$")
  return digits and #digits == 40 and "0x" .. digits:lower() or nil
end

local function addresses_at(hex, offset)
  local count = abi.number(abi.word_at(hex, offset / BYTES_OF_WORD))
  if not count then return nil end
  local list = {}
  for i = 1, count do -- no further than there are words
    list[i] = abi.address(abi.word_at(hex, offset / BYTES_OF_WORD + i))
    if not list[i] then return nil end
  end
  return list, offset + (1 + count) * BYTES_OF_WORD
end

--- The data of ConfigSet: (address[] signers, uint8 f). -> signers, f | nil
function abi.config_set(hex)
  local f = abi.number(abi.word_at(hex, 1))
  if abi.number(abi.word_at(hex, 0)) ~= 2 * BYTES_OF_WORD or not f or f > 255 then return nil end
  local signers, size = addresses_at(hex, 2 * BYTES_OF_WORD)
  if not signers or size * 2 ~= #hex then return nil end
  return signers, f
end

--- The data of ConfigUpdated: (address[] before, address[] after). -> after | nil
function abi.config_updated(hex)
  if abi.number(abi.word_at(hex, 0)) ~= 2 * BYTES_OF_WORD then return nil end
  local before, second = addresses_at(hex, 2 * BYTES_OF_WORD)
  if not before or abi.number(abi.word_at(hex, 1)) ~= second then return nil end
  local after, size = addresses_at(hex, second)
  if not after or size * 2 ~= #hex then return nil end
  return after
end

return abi
