-- SPDX-License-Identifier: MIT
-- One worker leads: it has the stream, and a doorbell that rings when there are reports. The others follow: they listen
-- there, and when that ends, whatever ended it, one of them leads.

local core = require "chainlink.core"
local errors = require "chainlink.errors"
local loop = require "chainlink.loop.openresty"
local roster = require "chainlink.openresty.roster"
local view = require "chainlink.openresty.view"

local leader = {}

local AT_ONCE = 5 -- reports that are taken before others have a turn: some 60 microseconds
local TURN = 0.001 -- seconds; a timer of 0 nginx runs again and again before it looks at anything else
local HURRY = 256 -- turns without an end, after which one report more is taken in each
local RING = 16 -- reports, if there are always more, before others hear of them
local TELL = 1 -- seconds, from one time to the next that metrics are told
local RETRY = 5 -- seconds, after a stream has failed
local PAUSE = 0.01 -- seconds, while another one claims the lead
local RECENT = 60 -- seconds: what was missed for no longer than that is asked for

-- From when on reports may not have been published, in whole seconds; nil when that is not to be asked for.
local function start_of(feed, ids)
  local stream, client, late = feed.options.stream, feed.options.client, feed.options.late / 1000
  if stream.backfill == false or client.backfill == false then return stream.start end
  local now, has_any = core.time(), false
  local first = now
  for _, id in ipairs(ids) do
    local observed = feed.store:observed(id)
    has_any = has_any or observed ~= nil
    first = math.min(first, observed and observed / 1000 - late or stream.start or now)
  end
  return has_any and math.floor(math.max(first, stream.start or now - RECENT)) or stream.start
end

-- Reports that came while nobody led are filled in.
local function options_of_stream(feed, ids)
  local stream = {}
  for name, value in pairs(feed.options.stream) do stream[name] = value end
  stream.start = start_of(feed, ids)
  local told = stream.on_status or feed.options.client.on_status
  function stream.on_status(event)
    feed.live:note(event)
    if told then told(event) end
  end
  return stream
end

-- Rings for what was published since the last time.
local function ring(feed)
  if feed.unrung == 0 then return end
  feed.unrung = 0
  core.bell_ring(feed.hub)
  feed:deliver()
end

-- Publishes a few of what is there. -> is there more?, err of a stream that is over
local function take(feed, count)
  local report, err
  for _ = 1, count do
    report, err = feed.stream:poll()
    if not report then break end
    local ok, why = feed.store:publish(report)
    if ok then feed.unrung = feed.unrung + 1 end
    if why then ngx.log(ngx.ERR, "chainlink: lua_shared_dict ", feed.options.name, ": ", why) end
  end
  if not report or feed.unrung >= RING then ring(feed) end
  return report ~= nil, err
end

-- Until the stream is over. -> err
local function read_stream(feed, ids)
  feed.store:resume(ids)
  local stream, err = feed.client:stream(ids, options_of_stream(feed, ids))
  if not stream then return err end
  feed.stream = stream
  feed.monitor:watch(feed.client, view.new(stream, feed.store), ids)
  local more
  local turns = 0 -- without an end
  repeat
    more, err = take(feed, AT_ONCE + math.floor(turns / HURRY))
    turns = more and turns + 1 or 0
    if more then ngx.sleep(TURN) elseif not err then loop.wait(stream:pollfd()) end
  until err
  return err
end

-- What is on the board, for the others to read.
local function post(feed)
  feed.live:tick()
  local is_new, why = feed.board:publish()
  if why then ngx.log(ngx.ERR, "chainlink: lua_shared_dict ", feed.options.name, ": ", why) end
  if not is_new or not feed.hub then return end
  core.bell_ring(feed.hub)
  feed:deliver()
end

-- Looks up which feeds there are, and streams them, until that fails. -> err, is it worth another try at once?
local function stream_feeds(feed)
  local ids, err = roster.look_up(feed)
  post(feed)
  if not ids then return err end
  err = read_stream(feed, ids)
  local is_refused = errors.is_error(err) and err.kind == "AuthenticationError"
  return err, is_refused and roster.note_refused(feed, ids)
end

local function lead(feed)
  feed.leads, feed.unrung = true, 0
  ngx.log(ngx.NOTICE, "chainlink: this worker has the stream of ", feed.options.name)
  while true do
    local err, at_once = stream_feeds(feed)
    local pause = at_once and 0 or RETRY
    ngx.log(ngx.ERR, "chainlink: ", tostring(err), "; next attempt in ", pause, " s")
    feed.monitor:watch(feed.client, nil, feed.options.ids)
    feed.monitor:note { state = "failed", reason = tostring(err) }
    if feed.stream then feed.stream:close() end
    ngx.sleep(pause)
  end
end

local function follow(feed, socket)
  local ok = socket:send "listen\n"
  while ok do
    ok = socket:receiveany(4096)
    if ok then feed:deliver() end
  end
  socket:close()
end

--- Leads or follows, for ever.
function leader.run(feed)
  while true do
    local before = feed.store:leader()
    local socket = before and loop.visit(before)
    if socket then follow(feed, socket)
    else
      feed.hub = feed.hub or core.bell()
      if feed.hub and feed.store:claim(before, core.bell_address(feed.hub)) then lead(feed) end
      ngx.sleep(PAUSE)
    end
  end
end

-- Names are asked for once the service answers, and not by two at once.
local function name(feed)
  if feed.is_naming or feed.monitor:judge() == "down" then return end
  feed.is_naming = true
  roster.name(feed)
  feed.is_naming = false
end

--- Tells the others how the stream is, again and again.
function leader.tell(feed)
  while true do
    if feed.leads then
      if feed.wants_names then ngx.thread.spawn(name, feed) end
      post(feed)
      feed.store:tell(feed.monitor:metrics(), feed.monitor:healthz())
    end
    ngx.sleep(TELL)
  end
end

--- Another one may lead.
function leader.resign(feed)
  feed.client:close()
  if not feed.hub then return end
  feed.store:release(core.bell_address(feed.hub))
  core.bell_close(feed.hub)
  feed.hub = nil
end

return leader
