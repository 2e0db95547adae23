-- SPDX-License-Identifier: MIT
-- The limits that SECURITY.md promises are those of the code.
local project = require "spec.support.project"

-- The row of the table, and the constant that it tells.
local rows = {
  { "body of a REST answer, decompressed", "CDS_MAX_ANSWER_BYTES" },
  { "headers of an answer", "CDS_MAX_HEADER_BYTES" },
  { "WebSocket message, all fragments", "CDS_MAX_MESSAGE_BYTES" },
  { "full report", "CDS_MAX_REPORT_BYTES" },
  { "bytes of a report beside head, blob and signatures, with `verify`", "CDS_MAX_UNSIGNED_BYTES" },
  { "nesting of JSON", "CDS_MAX_JSON_DEPTH" },
  { "object of the stream of trades", "CDS_MAX_TRADE_BYTES" },
  { "trades waiting for the script", "CDS_MAX_TRADES" },
  { "log lines and status changes waiting", "CDS_MAX_EVENTS" },
  { "time of a report ahead of the local clock", "CDS_MAX_FUTURE_SECONDS" },
  { "wait that `Retry-After` asks for, connections", "CDS_MAX_RETRY_AFTER" },
  { "feeds of a stream or call", "CDS_MAX_FEEDS" },
  { "answer of a Redis server", "CDS_MAX_REDIS_BYTES" },
  { "arrays in each other, of such an answer", "CDS_MAX_REDIS_NESTING" },
  { "elements of all its arrays", "CDS_MAX_REDIS_ELEMENTS" },
}

local UNITS = { [""] = 1, KiB = 1024, MiB = 1024 * 1024, seconds = 1, hour = 3600 }

local function promised(text, row)
  for line in text:gmatch "[^\n]+" do
    local name, value = line:match "^| (.-) | (.-) |"
    if name == row then
      local count, unit = value:match "^(%d+) ?(%a*)$"
      return tonumber(count) * assert(UNITS[unit], value)
    end
  end
  return nil
end

-- What `#define NAME (16u * 1024)` is.
local function defined(text, name)
  local value = assert(text:match("#define " .. name .. " ([^\n/]+)"), name):gsub("(%d)u", "%1")
  local bits = value:match "^%(1 << (%d+)%) *$"
  if bits then return 2 ^ bits end -- not every Lua knows the operator
  return assert((loadstring or load)("return " .. value))() -- luacheck: ignore 113
end

describe("SECURITY.md", function()
  local security, limits = project.read "SECURITY.md", project.read "src/base/limits.h"
  for _, row in ipairs(rows) do
    it("tells the limit that is kept: " .. row[1], function()
      assert.equal(promised(security, row[1]), defined(limits, row[2]))
    end)
  end
end)
