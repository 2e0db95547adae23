-- SPDX-License-Identifier: MIT
-- The faults of a chaos run. Each row: a name, how likely it is, and a function that answers what is done: `faults`
-- (lines for /control/faults) or `posts` (control paths), and `undo` with `after` seconds.
--
-- Not here is what must end a stream (refused credentials, a wrong clock), and what no client could notice without
-- verifying signatures (a price that was changed).

local random = math.random

local function pick(...)
  return (select(random(select("#", ...)), ...))
end

local function live(action, ...)
  return { faults = { ("on=live,pick=%d,action="):format(random(0, 100)) .. action:format(...) } }
end

-- The next handshakes go wrong, and a connection ends so that there is one.
local function handshake(action, ...)
  return { faults = {
    ("on=ws,times=%d,action="):format(random(3)) .. action:format(...),
    ("on=live,pick=%d,action=reset"):format(random(0, 100)),
  } }
end

local function accept(action)
  return { faults = {
    ("on=accept,times=%d,action="):format(random(3)) .. action,
    ("on=live,pick=%d,action=drop"):format(random(0, 100)),
  } }
end

local function rest(action, ...)
  return { faults = { ("on=rest,times=%d,action="):format(random(8)) .. action:format(...) } }
end

local function down(seconds, ...)
  local done = { posts = {}, undo = {}, after = seconds }
  for i, what in ipairs { ... } do
    done.posts[i], done.undo[i] = "down?what=" .. what, "up?what=" .. what
  end
  return done
end

local menu = {
  -- connections
  { "close", 6, function() return live("close,code=%d", pick(1000, 1001, 1008, 1011, 1012, 1013)) end },
  { "drop", 4, function() return live "drop" end },
  { "reset", 4, function() return live "reset" end },
  { "half a message", 2, function() return live("half,kind=%s", pick("freeze", "drop")) end },
  { "freeze", 2, function() return live "freeze" end },
  { "no pongs", 2, function() return live "stop_pongs" end },
  { "no reports", 2, function() return live "quiet" end },
  { "kill an origin", 3, function()
    return { posts = { ("kill?origin=%s&how=%s"):format(pick("o1", "o2"), pick("drop", "reset")) } }
  end },
  { "kill all", 3, function() return { posts = { "kill?how=" .. pick("drop", "reset") } } end },
  -- frames
  { "fragments", 2, function() return live("fragment,bytes=%d,count=50", pick(1, 2, 125, 126, 1000)) end },
  { "illegal frame", 3, function()
    return live("illegal,kind=%s", pick("masked", "reserved", "opcode", "control", "fragment", "continuation", "utf8",
      "nested"))
  end },
  { "oversize", 1, function() return live(pick("oversize", "endless")) end },
  { "ping flood", 1, function() return live "ping_flood" end },
  { "tiny messages", 1, function() return live "tiny,count=2000" end },
  -- messages
  { "garbage", 3, function()
    return live("garbage,kind=%s", pick("text", "cut", "other", "types", "nest", "members", "numbers", "escapes",
      "empty"))
  end },
  { "corrupt copy", 4, function()
    return live("corrupt,count=%d,kind=%s", random(20), pick("hex", "blob", "envelope", "feed", "cut"))
  end },
  { "foreign feed", 1, function() return live "foreign" end },
  -- order
  { "duplicates", 3, function() return live("duplicate,count=%d", random(100)) end },
  { "reordered", 3, function() return live("reorder,within=%d,count=%d", random(150), 2 * random(200)) end },
  { "old report", 2, function() return live("old,seconds=%d", pick(10, 100, 3600)) end },
  { "future report", 2, function() return live("future,seconds=%d", pick(60, 3600, 86400)) end },
  { "delay", 2, function() return live("delay,ms=%d,count=%d", random(800), random(200)) end },
  -- gaps
  { "skipped seconds", 5, function() return live("skip,seconds=%d", random(4)) end },
  { "skipped everywhere", 3, function()
    return { faults = { ("on=live,times=0,action=skip,seconds=%d"):format(random(3)) } }
  end },
  { "no reports made", 1, function() return { posts = { "pause?seconds=" .. random(3) } } end },
  { "an origin down", 3, function() return down(random(8), pick("o1", "o2")) end },
  { "origins down", 2, function() return down(random(5), "o1", "o2") end },
  { "REST down", 2, function() return down(random(8), "rest") end },
  { "all down", 2, function() return down(random(5), "all") end },
  -- handshakes and TLS
  { "handshake status", 3, function()
    return handshake("status,status=%d%s", pick(429, 500, 502, 503), pick("", ",retry_after=1"))
  end },
  { "handshake answer", 2, function()
    return handshake(pick("redirect", "upgrade,kind=none", "upgrade,kind=key", "upgrade,kind=protocol"))
  end },
  { "handshake stalls", 1, function() return handshake(pick("silence", "slow,ms=1000")) end },
  { "TLS", 2, function() return accept(pick("garbage", "cut", "silence", "reset", "drop")) end },
  { "certificate", 1, function()
    return { posts = { "certificate?kind=" .. pick("expired", "wrong_host", "not_yet_valid", "self_signed"),
      "kill?how=reset&origin=" .. pick("o1", "o2") }, undo = { "certificate?kind=good" }, after = random(3) }
  end },
  -- REST
  { "REST status", 4, function()
    return rest("status,status=%d%s", pick(429, 500, 502, 503), pick("", ",retry_after=1", ",body=html"))
  end },
  { "REST answer", 3, function() return rest(pick("cut", "garbage", "reset", "redirect")) end },
  { "REST huge", 1, function() return { faults = { "on=rest,action=huge,path=/api/v1/reports/page" } } end },
  { "REST slow", 2, function() return rest(pick("delay,ms=700", "silence", "slow,ms=1")) end },
  { "REST pages", 4, function()
    return rest("page,path=/api/v1/reports/page,kind=%s", pick("short,count=25", "repeat", "reorder"))
  end },
  { "REST lags", 3, function() return rest("lag,seconds=%d", random(3)) end },
}

local total = 0
for _, row in ipairs(menu) do total = total + row[2] end

--- A fault by its likelihood: its name, and what is to be done.
return function()
  local at = random(total)
  for _, row in ipairs(menu) do
    at = at - row[2]
    if at <= 0 then return row[1], row[3]() end
  end
end
