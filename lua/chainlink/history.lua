-- SPDX-License-Identifier: MIT
-- client:reports and client:history: a range of history as an iterator, page after page. The next page is on its way
-- while the script consumes the one before.

local errors = require "chainlink.errors"
local order = require "chainlink.order"

local history = {}

-- Of one second, whose blobs must be remembered: so many reports as a stream takes of one, and so much text. A service
-- that always had something new to tell of the same second would otherwise never end.
local MAX_REPORTS = 4096
local MAX_TEXT = 32 * 2 ^ 20

local MAX_LIMIT = 10000 -- reports in a page

-- Remembers the blob, unless the second has too many.
local function remember(self, blob)
  self.count, self.text = self.count + 1, self.text + #blob
  local too_much = self.count > MAX_REPORTS and ("%d different reports"):format(MAX_REPORTS)
    or self.text > MAX_TEXT and ("%d MiB of report blobs"):format(MAX_TEXT / 2 ^ 20)
  if too_much then
    self.err = errors.new("DecodeError", ("the service has more than %s of second %d"):format(too_much, self.second),
      { expected = "at most " .. too_much .. " a second" })
    return false
  end
  self.seen[blob] = true
  return true
end

-- The reports of a page that were not given before, up to the end of the range. A page may end in the middle of a
-- second, so the next one begins with that second again: what it repeats is known by its blob.
local function fresh_reports(self, reports)
  local fresh = {}
  for _, report in ipairs(reports) do
    local time, blob = report.observations_timestamp or self.second, report.report_blob
    if time > self.second then self.second, self.seen, self.count, self.text = time, {}, 0, 0 end
    if time == self.second and not self.seen[blob] then
      if not remember(self, blob) then break end
      if time <= self.to then fresh[#fresh + 1] = report end
    end
  end
  return fresh
end

-- The page had nothing new, as one second fills it: is a larger one to be asked for?
local function enlarge(self, page)
  local reports = page.reports
  local last = reports[#reports]
  if not last or #reports < (self.limit or math.huge) or self.limit >= MAX_LIMIT then return false end
  if (last.observations_timestamp or self.second) > self.start then return false end
  self.limit = math.min(2 * self.limit, MAX_LIMIT)
  return true
end

-- Asks for the next page, if there can be one. Each page brings something new, moves the start on, or is larger.
local function ask(self, start)
  self.start, self.pending = start, nil
  if start > self.to then return end
  local pending, err = self.begin(start, self.limit)
  if pending then self.pending = pending else self.err = err end
end

-- Where the next page begins, nil when there is none: with the second the page ended in, then past what is known.
-- A service that only repeats what lies before is not asked for ever.
local function next_start(self, page, fresh)
  if #fresh > 0 then return self.second end
  if enlarge(self, page) then return self.start end
  local following = page.next_page_timestamp
  if following and following > self.start then return following end
  local last = page.reports[#page.reports]
  local reached = last and (last.observations_timestamp or self.second)
  if reached and reached >= self.start then return reached + 1 end
end

-- Takes the page that is on its way; false when there is none. A finalizer or callback that runs meanwhile, or another
-- coroutine, must not take it too.
local function turn_page(self)
  if self.turning then
    errors.raise("ConfigError", "the iterator over reports waits for a page already, or was interrupted when it did")
  end
  if not self.pending then return false end
  self.turning = true
  local page, err = self.finish(self.pending)
  self.pending = nil
  local fresh = page and fresh_reports(self, page.reports)
  local start = fresh and not self.err and next_start(self, page, fresh)
  if start then ask(self, start) end
  self.turning = false
  if not page then errors.throw(err) end
  self.page, self.position = fresh, 0
  return true
end

--- An iterator over reports. begin(start, limit) starts the request of a page, finish(request) waits for it; both
--- may return nil, err. A page is asked for `limit` reports, and for more where one second has more. A failure raises
--- the error object out of the `for` loop, and so does asking while it waits for a page (ConfigError).
function history.iterate(begin, finish, from, to, limit)
  local self = { begin = begin, finish = finish, to = to, limit = limit, second = from, seen = {}, count = 0, text = 0,
    page = {}, position = 0 }
  ask(self, from)
  return function()
    while true do
      self.position = self.position + 1
      local report = self.page[self.position]
      if report then return report end
      if self.err then errors.throw(self.err) end
      if not turn_page(self) then return nil end
    end
  end
end

-- ---- several feeds ----

-- The next report of iterator i, false at its end.
local function move_on(self, i)
  self.heads[i] = self.nexts[i]() or false
  return self.heads[i]
end

-- The first second that a feed has a report of. (One that tells no time is of the second before it.)
local function first_second(self)
  local first
  for i = 1, #self.nexts do
    local head = self.heads[i]
    if head == nil then head = move_on(self, i) end
    local second = head and (head.observations_timestamp or self.second)
    if second and (not first or second < first) then first = second end
  end
  return first
end

-- All reports of the second into the batch; false when they are out of order.
local function gather(self, batch)
  local in_order = true
  for i = 1, #self.nexts do
    local head = self.heads[i]
    while head and (head.observations_timestamp or self.second) <= self.second do
      local entry, before = order.entry(head, self.second), batch[#batch]
      if before and not order.before(before, entry) then in_order = false end
      batch[#batch + 1] = entry
      head = move_on(self, i)
    end
  end
  return in_order
end

-- A second may be had in part when a page fails, whose error comes through here: it is not given then, nor what is
-- behind it.
local function next_second(self)
  if self.turning then
    errors.raise("ConfigError", "the iterator over reports waits for a page already, or was interrupted when it did")
  end
  self.turning = true
  local batch = {}
  self.second = first_second(self) or self.second
  if not gather(self, batch) then table.sort(batch, order.before) end
  self.turning, self.batch, self.position = false, batch, 0
end

--- Of iterators over one feed each, whose reports begin at second `from`, one over all, in the order of
--- chainlink.order. An error of one is raised behind all reports of the seconds before, and ends it.
function history.merge(nexts, from)
  local self = { nexts = nexts, heads = {}, second = from, batch = {}, position = 0 }
  return function()
    if self.position >= #self.batch then next_second(self) end
    self.position = self.position + 1
    local entry = self.batch[self.position]
    return entry and entry.report
  end
end

return history
