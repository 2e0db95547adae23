-- SPDX-License-Identifier: MIT
-- Reports as recordings (docs/recordings.md): lines of JSON, which are replayed and served by the simulator too.

local chainlink = require "chainlink"
local cjson = require "chainlink.json"
local lines = require "chainlink.cli.files.lines"
local session = require "chainlink.cli.session"
local text = require "chainlink.text"

local jsonl = {}

local Writer = {}
Writer.__index = Writer

local START = '{"format":"chainlink-streams-recording","version":1'

local function head_of(ids, from)
  local quoted = {}
  for i, id in ipairs(ids) do quoted[i] = '"' .. id .. '"' end
  return ('%s,"client":"%s"%s,"feeds":[%s]}'):format(START, chainlink._VERSION,
    from and (',"from":%.0f'):format(from) or "", table.concat(quoted, ","))
end

-- Is a file with this head one of the same feeds, that begins no later?
local function accepts(line, ids, from)
  local head = line:sub(1, #START) == START and cjson.decode(line)
  if type(head) ~= "table" or type(head.feeds) ~= "table" then return nil, "is no recording" end
  if type(head.from) ~= "number" then return nil, "is a recording that was made in another way" end
  if table.concat(head.feeds, " ") ~= table.concat(ids, " ") then return nil, "is of other feeds" end
  if from < head.from then return nil, ("begins at %.0f, which is later than --from, %.0f"):format(head.from, from) end
  return true
end

--- Opens a file for reports of these feeds, sorted. options: resume; from, the first second; keeps_arrival: when and
--- where from reports came is written too.
function jsonl.write(path, ids, options)
  local file = lines.open(path, {
    head = head_of(ids, options.from), resume = options.resume,
    accepts = function(line) return accepts(line, ids, options.from) end,
    second_of = function(line) return tonumber(line:match '"observationsTimestamp":(%d+)') end,
  })
  return setmetatable({ file = file, last = file.last, keeps_arrival = options.keeps_arrival }, Writer)
end

local function put(members, name, value)
  if value then members[#members + 1] = (',"%s":%.0f'):format(name, value) end
end

local function put_arrival(members, report)
  put(members, "received_at", report.received_at and math.floor(report.received_at * 1000 + 0.5))
  if report.origin then members[#members + 1] = ',"origin":' .. text.json_string(report.origin) end
  if report.backfilled then members[#members + 1] = ',"backfilled":true' end
end

--- A report as src/record/line.c writes it.
function jsonl.line(report, keeps_arrival)
  local members = { '{"feedID":"', report.feed_id, '","fullReport":"', report.full_report, '"' }
  local in_ms = report.resolution == "ms"
  put(members, "validFromTimestamp", report.valid_from_timestamp)
  put(members, "validFromTimestampMs", in_ms and report.valid_from_timestamp_ms)
  put(members, "observationsTimestamp", report.observations_timestamp)
  put(members, "observationsTimestampMs", in_ms and report.observations_timestamp_ms)
  if keeps_arrival then put_arrival(members, report) end
  members[#members + 1] = "}"
  return table.concat(members)
end

function Writer:write(report)
  self.file:write(jsonl.line(report, self.keeps_arrival))
end

function Writer:settle() self.file:settle() end

function Writer:close() self.file:close() end

--- A function that answers one report after the other, of a recording, compressed or not, or a folder of such, and one
--- that ends it. Where there is a complain(place, reason), what cannot be read is told to standard error by the replay,
--- and to that once, at the end.
function jsonl.read(path, complain)
  local source = session.check(chainlink.replay(path, { speed = "max", logger = complain and session.log,
    log_level = "warn" }))
  return function()
    local report, err = source:read()
    if report then return report end
    if err.kind ~= "StreamClosedError" then error(err, 0) end
    local faults = source:stats().decode_errors
    if complain and faults > 0 then complain(path, ("%.0f lines cannot be read"):format(faults)) end
  end, function() source:close() end
end

return jsonl
