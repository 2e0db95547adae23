-- SPDX-License-Identifier: MIT
-- Full reports made here, with no signature that means anything, for the unit specs.

local sample = {}

local function uint(value)
  return ("0"):rep(48) .. ("%08x%08x"):format(math.floor(value / 2 ^ 32), value % 2 ^ 32)
end

local function padded(hex) return ("0"):rep(64 - #hex) .. hex end

--- The full report around the words of a blob, with two signatures or so many.
function sample.report(words, signatures)
  local blob = table.concat(words)
  local length, count = #blob / 2, signatures or 2
  local rs_offset = 7 * 32 + 32 + length
  return "0x" .. table.concat {
    ("0a"):rep(32), padded "0102", padded "", -- context
    uint(7 * 32), uint(rs_offset), uint(rs_offset + 32 + 32 * count), "0001" .. ("0"):rep(60),
    uint(length), blob,
    uint(count), ("11"):rep(32), ("22"):rep(32 * (count - 1)),
    uint(count), ("33"):rep(32), ("44"):rep(32 * (count - 1)),
  }
end

--- A feed id of that schema version.
function sample.feed_id(version)
  return "0x" .. ("%04x"):format(version) .. ("ab"):rep(30)
end

local function head(version)
  return sample.feed_id(version):sub(3), uint(1700000000), uint(1700000001), uint(1e15), uint(2e15), uint(1700086400)
end

local function blob(version, ...)
  local words = { head(version) }
  for _, word in ipairs { ... } do words[#words + 1] = word end
  return sample.report(words)
end

-- benchmark price 3.5, bid -3.25, ask 2^191 - 1 at 18 decimals
sample.v3 = blob(3, uint(3.5e18), ("f"):rep(64 - 16) .. "d2e5ae381ffb0000", padded("7f" .. ("f"):rep(46)))
sample.ask_raw = "3138550867693340381917894711603833208051177722232017256447"
-- the same with ask 4
sample.v3_ask_4 = sample.v3:gsub("7f" .. ("f"):rep(46), padded((uint(4e18):gsub("^0+", ""))):sub(-48))

-- last update 2^63 + 1 ns, mid price 1, market status open
sample.v8 = blob(8, padded "8000000000000001", uint(1e18), uint(2))
-- last update 1700000000123456789 ns
sample.v8_ns = blob(8, padded "17979cfe3d85cd15", uint(1e18), uint(1))

-- The same words in a feed of millisecond resolution, whose head has 64-bit times.
local function in_ms(version, valid_from, observed, expires, ...)
  return sample.report { sample.feed_id(0x1000 + version):sub(3), valid_from, observed, uint(1e15), uint(2e15), expires,
    ... }
end
sample.ms_v3 = in_ms(3, uint(1700000000123), uint(1700000000124), uint(1702592000125), uint(3.5e18), uint(1), uint(2))
sample.ms_largest = in_ms(2, padded(("f"):rep(16)), padded(("f"):rep(16)), padded(("f"):rep(16)), uint(3.5e18))
sample.ms_too_large = in_ms(2, uint(1), "0000000000000000" .. ("0"):rep(31) .. "1" .. ("0"):rep(16), uint(1), uint(1))

-- a schema nobody knows yet, and a resolution
sample.v99 = blob(99, uint(5))
sample.us_v3 = (sample.v3:gsub("0003ab", "2003ab"))

return sample
