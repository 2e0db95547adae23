-- SPDX-License-Identifier: MIT
-- Reads lines of hexadecimal from standard input: full reports, and prints what report:compress() makes of each; or
-- with "decompress" the bytes that another compressed, and prints the text that chainlink.decompress finds in them.

local chainlink = require "chainlink"

local function to_hex(bytes)
  return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

local function from_hex(text)
  return (text:gsub("%x%x", function(digits) return string.char(tonumber(digits, 16)) end))
end

local function compress(full_report)
  return to_hex(assert(assert(chainlink.decode(full_report)):compress()))
end

local function decompress(line) return assert(chainlink.decompress(from_hex(line))) end

-- A build without libsnappy says so in place of the answers.
if not chainlink.compress("") then
  io.write("no libsnappy\n")
  return
end
local convert = arg[1] == "decompress" and decompress or compress
for line in io.lines() do io.write(convert(line), "\n") end
