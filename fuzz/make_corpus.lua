-- SPDX-License-Identifier: MIT
-- Writes the seeds of the fuzz targets, fuzz/corpus/, from spec/data/vectors.json and from texts of its own:
--   lua5.4 fuzz/make_corpus.lua        in the project's root; running it again gives the same files
local cjson = require("cjson")

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local function write(target, name, text)
  os.execute("mkdir -p fuzz/corpus/" .. target)
  local file = assert(io.open("fuzz/corpus/" .. target .. "/" .. name, "wb"))
  file:write(text)
  file:close()
end

local function bytes_of(hex)
  return (hex:sub(3):gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

local vectors = cjson.decode(read("spec/data/vectors.json"))

local function find(list, case)
  for _, vector in ipairs(vectors[list]) do
    if vector.case == case or vector.reason == case then return vector end
  end
  error("no vector " .. case)
end

-- The shortest report of each key.
local function shortest_of(list, key_of)
  local shortest = {}
  for _, vector in ipairs(list) do
    local key = key_of(vector)
    if not shortest[key] or #vector.fullReport < #shortest[key].fullReport then shortest[key] = vector end
  end
  return shortest
end
local shortest = shortest_of(vectors.reports, function(vector) return vector.version end)
local newer = shortest_of(vectors.newer, function(vector) return vector.fields.feedId:sub(3, 6) end)

local function envelope(vector)
  local fields = vector.fields
  local valid_from = fields.validFromTimestamp and '"validFromTimestamp":' .. fields.validFromTimestamp .. "," or ""
  return ('{"feedID":"%s","fullReport":"%s",%s"observationsTimestamp":%s}'):format(fields.feedId, vector.fullReport,
    valid_from, fields.observationsTimestamp)
end

---- reports and hex

for version, vector in pairs(shortest) do
  write("report", ("v%02d"):format(version), bytes_of(vector.fullReport))
end
for beginning, vector in pairs(newer) do write("report", "x" .. beginning, bytes_of(vector.fullReport)) end
write("report", "odd_addresses", bytes_of(find("odd", "parts at odd addresses").fullReport))
write("report", "unpadded", bytes_of(find("odd", "unpadded blob at the end").fullReport))
write("report", "unknown", bytes_of(find("unknown", "unknown version 15").fullReport))
write("report", "wild_length", bytes_of(find("invalid", "length of rawRs is 2^59, times 32 is 2^64").fullReport))
write("report", "wild_offset", bytes_of(find("invalid", "offset of reportBlob is 2^64 - 1").fullReport))

write("hex", "digits", "0123456789abcdefABCDEF")
write("hex", "odd", "00f")
write("hex", "two_blocks", ("0aF9"):rep(16) .. "7")
write("hex", "neighbours", ("0"):rep(40) .. "/:@G`g")
write("hex", "report", shortest[2].fullReport:sub(3))

---- envelopes

local v3, v7 = envelope(shortest[3]), envelope(shortest[7])
write("envelope", "one", '{"report":' .. v3 .. "}")
write("envelope", "ms", '{"report":' .. envelope(newer["1003"]):gsub('Timestamp"', 'TimestampMs"') .. "}")
write("envelope", "two", '{"reports":[' .. v3 .. "," .. v7 .. '],"nextPageTimestamp":1700000000}')
write("envelope", "none", '{"reports":[],"nextPageTimestamp":null}')
local unknown = '[ 1.5e-3 , { "a" : null , "b" : [ ] } ,\n"\\u00e9\\"" ]'
write("envelope", "spaced", '{ "x" : ' .. unknown .. ' , "report" : ' .. v7 .. " }\n")
write("envelope", "null_times", '{"report":{"observationsTimestamp":null,"validFromTimestamp":null,"fullReport":"' ..
  shortest[1].fullReport .. '","feedID":"' .. shortest[1].fields.feedId .. '"}}')
write("envelope", "disagree", '{"report":' .. v3:gsub('("observationsTimestamp":)%d+', "%11") .. "}")
write("envelope", "other_feed", '{"report":' .. v7:gsub("%x%x%x%x\",\"fullReport", "0000\",\"fullReport") .. "}")
local unknown_version = find("unknown", "unknown version 15")
write("envelope", "unknown_version", ('{"report":{"feedID":"%s","fullReport":"%s","validFromTimestamp":1,' ..
  '"observationsTimestamp":2}}'):format(unknown_version.feedId, unknown_version.fullReport))
write("envelope", "deep", '{"x":' .. ("["):rep(15) .. ("]"):rep(15) .. ',"report":' .. v7 .. "}")

---- recordings: what follows a head

local arrival = ',"received_at":1700000000123,"origin":"a\\u0022\\n","backfilled":true}'
local function recorded(vector) return envelope(vector):sub(1, -2) .. arrival end
local lost = ('{"event":"lost","feed":"%s","from_ms":1700000000000,"to_ms":1700000001000,"time":1,"reason":"why"}')
  :format(shortest[3].fields.feedId)
local later = '{"format":"chainlink-streams-recording","version":1,"begun":1,"continues":true,"feeds":["'
  .. shortest[3].fields.feedId .. '"]}'
write("recording", "reports", recorded(shortest[3]) .. "\n" .. recorded(shortest[7]) .. "\n")
write("recording", "ms", recorded(newer["1003"]):gsub('Timestamp"', 'TimestampMs"') .. "\n")
write("recording", "events", lost .. "\n" .. lost:gsub("lost", "gap") .. "\n" .. lost:gsub("lost", "new") .. "\n")
write("recording", "seams", table.concat({ v3, later, v7, (later:gsub("true", "false")), v3, "" }, "\n"))
write("recording", "cut", v3 .. "\n" .. v3:sub(1, -50))

---- numbers: a byte of sign and scale, two words

local function word(hex) return bytes_of("0x" .. ("0"):rep(64 - #hex) .. hex) end
local numbers = {
  ["zero"] = { 0, word("0"), word("1") },
  ["price"] = { 128 + 18, word("a968163f0a57b400000"), word("a968163f0a57b400001") },
  ["negative"] = { 128 + 18, ("\255"):rep(32), ("\255"):rep(24) .. word("8000000000000000"):sub(-8) },
  ["extremes"] = { 128, "\128" .. ("\0"):rep(31), "\127" .. ("\255"):rep(31) },
  ["largest"] = { 77, ("\255"):rep(32), word("8ac7230489e80000") },
  ["half"] = { 19, word("20000000000001"), word("40000000000002") },
}
for name, number in pairs(numbers) do
  write("decimal", name, string.char(number[1]) .. number[2] .. number[3])
end

---- exact integers: eight bytes of a factor, two lines

local two_384 = "39402006196394479212279040100143613805079739270465446667948293404245721771497210611414266254884915640"
  .. "806627990306816"
-- The number's eight bytes, least first.
local function eight_bytes(number)
  local bytes = {}
  for i = 1, 8 do bytes[i], number = string.char(number % 256), number // 256 end
  return table.concat(bytes)
end

local wides = {
  ["price"] = { 60000, "-3138550867693340381917894711603833208051177722232017256447", "43210123456789012345678" },
  ["largest"] = { -1, (two_384:gsub("6$", "5")), (two_384:gsub("6$", "5")) },
  ["too_large"] = { 2, two_384, "-" .. two_384 },
  ["texts"] = { 0, "-000", "1.5" },
  ["moved"] = { 5 + 999 * 65536, "1000", "1005" },
}
for name, wide in pairs(wides) do
  write("wide", name, eight_bytes(wide[1]) .. wide[2] .. "\n" .. wide[3])
end

---- answers: two bytes of status less 100, one of operation, headers, body

local function answer(status, operation, headers, body)
  return string.char((status - 100) // 256, (status - 100) % 256, operation) ..
    table.concat(headers, "\r\n") .. "\r\n\r\n" .. body
end
local date = "Date: Tue, 14 Nov 2023 22:13:20 GMT"
write("headers", "feeds", answer(200, 0, { date, "Content-Type: application/json" }, '{"feeds":[]}'))
write("headers", "report", answer(200, 1, { date }, '{"report":' .. v3 .. "}"))
write("headers", "page", answer(200, 4, { date }, '{"reports":[' .. v3 .. '],"nextPageTimestamp":null}'))
write("headers", "some", answer(206, 3, { date }, '{"reports":[]}'))
write("headers", "skew", answer(401, 2, { "X-Cll-Origin: o1", date:lower() }, '{"error":"bad\tsignature\27"}'))
write("headers", "origins", answer(204, 5, { "X-Cll-Available-Origins: {o1, o2,o2 ,}", date }, "{}"))
write("headers", "seconds", answer(429, 1, { "retry-after:  12 " }, ""))
write("headers", "until", answer(503, 1, { date, "Retry-After: Tue, 14 Nov 2023 22:13:50 GMT" }, "<html>\195\169\195"))
write("headers", "obsolete", answer(503, 1, { "Retry-After: Tuesday, 14-Nov-23 22:13:50 GMT",
  "Date: Tue Nov 14 22:13:20 2023" }, ""))

---- configurations: REST URL, stream URL, key, secret, proxy, https_proxy, no_proxy, headers' names and values

local function configuration(name, ...) write("config", name, table.concat({ ... }, "\n")) end
configuration("plain", "https://api.dataengine.chain.link", "wss://ws.dataengine.chain.link", "key", "secret")
configuration("full", "HTTPS://[::1]:8443/base/path/", "ws://127.0.0.1:80/", "key", "secret",
  "http://user:password@proxy.example:3128", "http://other.example", "localhost, .example.com\t127.0.0.1",
  "X-Trace", "some value", "Accept-Language", "en")
configuration("environment", "https://api.example.com", "wss://h", "key", "secret", "", "http://u:p@[::1]:1/", "*")
configuration("reserved", "https://h:65535", "wss://h", "k", "s", "", "", "", "x-authorization-timestamp", "1")
configuration("wrong", "https://user:pw@h/?q#f", "ftp://h:0", "a b", "\t", "socks5://p", "p", ".h,h", "a:b", "\127")

---- verification: f less 1, signatures (128 more: one signer twice), changes of place and value, a feed

local function change(place, value) return string.char(place // 256, place % 256, value) end
local feed = ("feed"):rep(7)
write("verify", "good", string.char(0, 2, 0) .. feed)
write("verify", "most", string.char(2, 4, 0) .. feed)
write("verify", "twice", string.char(0, 128, 0) .. feed)
write("verify", "few", string.char(1, 2, 0) .. feed)
write("verify", "none", string.char(0, 0, 0) .. feed)
write("verify", "mismatched", string.char(0, 2, 1) .. change(7 * 32 + 32 + 9 * 32 + 3 * 32 + 31, 1) .. feed)
write("verify", "panic", string.char(0, 2, 1) .. change(6 * 32 + 1, 229) .. feed)
write("verify", "large_v", string.char(0, 2, 1) .. change(6 * 32, 2) .. feed)
write("verify", "context", string.char(0, 2, 2) .. change(40, 1) .. change(95, 255) .. feed)

---- tags: two texts of one length, one after the other
write("tag", "last_bit", ("0"):rep(287) .. "1" .. ("0"):rep(288))
write("tag", "short", "ab")
write("tag", "equal", ("x"):rep(66))

---- a server's frames, after a byte that says how they are cut
local function frames(name, ...) write("frame", name, "\3" .. table.concat({ ... })) end
local function frame(first, payload)
  local length = #payload < 126 and string.char(#payload) or string.char(126, #payload // 256, #payload % 256)
  return string.char(first) .. length .. payload
end
frames("text", frame(0x81, "{}"), frame(0x82, ""))
frames("large", frame(0x82, ("x"):rep(300)), "\x82\x7f\0\0\0\0\0\1\0\0", ("y"):rep(99))
frames("parts", frame(0x01, "one "), frame(0x89, "ping"), frame(0x00, ""), frame(0x8a, "pong"), frame(0x80, "text"))
frames("close", frame(0x81, "last"), frame(0x88, "\3\xe8bye"))
frames("empty_close", frame(0x88, ""))
frames("masked", "\x81\x82abcd\1\2")
frames("reserved", frame(0xc1, "?"), frame(0x83, "?"))
frames("nested", frame(0x01, "one"), frame(0x81, "other"))
frames("long_form", "\x82\x7e\0\1x")
frames("huge", "\x82\x7f\xff\0\0\0\0\0\0\0")

-- ---- trade: the length of a piece, then the stream, or a token ----

local trade = '{"f":"t","i":"ETHUSD","fid":"0x00","p":2.68312e+21,"t":1748525526,"s":1}'
local trades = { trade .. "\n" .. trade, '{"heartbeat":1748525526}\r\n' .. trade, '{"f":"q","x":[{"a":"}\\"{"}]}',
  '{"s":"ok","d":{"access_token":"ab.c","expiration":9000000000}}',
  (trade:gsub("2.6", "-0.6"):gsub("+21", "-21")) }
for i, text in ipairs(trades) do write("trade", tostring(i), string.char(i) .. text) end
