-- SPDX-License-Identifier: MIT
-- A history in a file for each day (UTC) that has a report: "eth.csv" is eth-2025-01-01.csv, eth-2025-01-02.csv and so
-- on.

local files = require "chainlink.cli.files"

local DAY = 86400

local split = {}
local Split = {}
Split.__index = Split

local function begin_of(second) return second - second % DAY end

local function path_of(path, second)
  local name, ending = path:match "^(.*)(%.[^./]+)$"
  return (name or path) .. os.date("!-%Y-%m-%d", second) .. (ending or "")
end

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

-- Ends the file of the day before.
local function turn_to(self, second, resume)
  if self.file then self.file:close() end
  self.day = begin_of(second)
  self.file = files.write(self.kind, path_of(self.path, second), self.ids,
    { resume = resume, from = math.max(self.from, self.day) })
end

--- As files.write; settings has `to` besides, the last second.
function split.write(kind, path, ids, settings)
  local self = setmetatable({ kind = kind, path = path, ids = ids, from = settings.from }, Split)
  for day = begin_of(settings.to), begin_of(settings.from), -DAY do
    if exists(path_of(path, day)) then
      turn_to(self, math.max(day, settings.from), settings.resume) -- refuses, unless it is to be gone on with
      self.last = self.file.last or math.max(day, settings.from)
      break
    end
  end
  return self
end

function Split:write(report, name)
  local second = report.observations_timestamp
  if begin_of(second) ~= self.day then turn_to(self, second) end
  self.file:write(report, name)
end

function Split:settle()
  if self.file then self.file:settle() end
end

function Split:close()
  if self.file then self.file:close() end
end

return split
