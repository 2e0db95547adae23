-- SPDX-License-Identifier: MIT
-- The way to an endpoint, step by step: its name, TCP, TLS, an answer; and the clock, which the answer tells.

local core = require "chainlink.core"
local time = require "chainlink.time"

local way = {}

local DAY = 86400
local SOON_DAYS = 14
local SLOW_SECONDS = 1
local ACCEPTED_SECONDS = 5 -- by the service, of a signature's time

local ranks = { name = 1, tcp = 2, tls = 3, answer = 4, done = 5 }

local function came_past(probe, stage) return ranks[probe.stage] > ranks[stage] end

local function ms(seconds) return ("%.0f ms"):format(math.max(0, seconds) * 1000) end

-- ---- name and TCP ----

local function tell_name(findings, probe, where)
  if not came_past(probe, "name") then
    findings:fail("name", probe.error.message,
      "check the host in the URL and this computer's DNS: getent hosts " .. where.host, probe.error)
    return
  end
  findings:ok("name", ("%s is %s (%s)"):format(where.host, probe.address or "known", ms(probe.name_seconds)))
end

local function tell_tcp(findings, probe, where)
  if came_past(probe, "tcp") then
    findings:ok("tcp", ("%s is reached in %s"):format(where.place, ms(probe.tcp_seconds - probe.name_seconds)))
    return
  end
  findings:fail("tcp", probe.error.message, probe.error.kind == "TimeoutError"
    and "nothing answers: a firewall may let nothing out, or a proxy is needed (https_proxy)"
    or "nothing listens there: check the port in the URL, and the service", probe.error)
end

-- ---- TLS ----

local function day(seconds) return seconds and time.text(seconds):sub(1, 10) or "an unknown day" end

-- The certificate that is shown where it is not trusted; nothing is sent by that connection but HEAD /.
local function shown(client, endpoint)
  local probe = core.probe(client, endpoint, false, true)
  return probe and probe.certificate or {}
end

local reasons = {
  { "host name does not match", function(certificate, where)
    return ("the certificate is for %s, not for %s: check the host in the URL, or is it a proxy's?"):format(
      certificate.names or certificate.subject or "another host", where.host)
  end },
  { "has expired", function(certificate)
    return ("it was good until %s: check this computer's date; if that is right, the service has to renew it"):format(
      day(certificate.till))
  end },
  { "not yet valid", function(certificate)
    return ("it is good from %s on: set this computer's date"):format(day(certificate.from))
  end },
  { "certificate", function(certificate)
    return ("it is signed by %s, whom this computer does not trust: install ca-certificates, or name that authority "
      .. "by --ca-file"):format(certificate.issuer or "somebody")
  end },
}

local function tls_advice(message, certificate, where)
  for _, reason in ipairs(reasons) do
    if message:find(reason[1], 1, true) then return reason[2](certificate, where) end
  end
  return "no handshake of TLS 1.2 or 1.3 came about: check the port, and that it is https:// there"
end

local function tell_tls(findings, probe, where, client)
  if not came_past(probe, "tls") then
    findings:fail("tls", probe.error.message, tls_advice(probe.error.message, shown(client, where.endpoint), where),
      probe.error)
    return
  end
  local certificate = probe.certificate or {}
  local left = certificate.till and (certificate.till - core.time()) / DAY
  local words = ("%s has a certificate signed by %s, good until %s%s"):format(where.place,
    certificate.issuer or "somebody", day(certificate.till), left and (" (%.0f days)"):format(left) or "")
  findings:judge("tls", words, left and left < SOON_DAYS and "it has to be renewed soon" or nil)
end

-- ---- the answer ----

local function tell_answer(findings, probe, where)
  if not came_past(probe, "answer") then
    findings:fail("answer", probe.error.message, "something answers there which is no Data Streams service, or is ill",
      probe.error)
    return
  end
  local seconds = probe.total_seconds - probe.sent_seconds
  local words = ("%s answers in %s (connected in %s)"):format(where.place, ms(seconds), ms(probe.sent_seconds))
  findings:judge("answer", words, seconds > SLOW_SECONDS
    and "that is slow: look at the network, and at the load of both ends" or nil)
end

-- "https://Host:8443/base" -> {host=, place= "host:port", tls=}
local function parts_of(url)
  local scheme, rest = url:match "^(%a+)://([^/]*)"
  local host, port = rest:match "^%[(.-)%]:?(%d*)$"
  if not host then host, port = rest:match "^([^:]*):?(%d*)$" end
  local is_tls = scheme:lower() == "https" or scheme:lower() == "wss"
  if port == "" then port = is_tls and "443" or "80" end
  return { host = host, place = host:lower() .. ":" .. port, tls = is_tls }
end

way.parts_of = parts_of

local steps = { { "name", tell_name }, { "tcp", tell_tcp }, { "tls", tell_tls }, { "answer", tell_answer } }

--- The findings about the way to a URL of the client's, which is its endpoint of that number (core.probe).
--- -> what core.probe told, when an answer came
function way.examine(findings, client, endpoint, url)
  local where, probe = parts_of(url), core.probe(client, endpoint, false, false)
  where.endpoint = endpoint
  for _, step in ipairs(steps) do
    if step[1] ~= "tls" or where.tls then step[2](findings, probe, where, client) end
    if not came_past(probe, step[1]) then return nil end
  end
  return probe
end

-- ---- the clock ----

--- The finding about this clock, by an answer's Date. That has whole seconds, and was written at some moment between
--- the request and the answer: what lies within that is no fault. -> seconds that this clock is ahead by
function way.clock(findings, probe)
  if not probe.date then
    findings:warn("clock", "the service does not tell its time", "see that this computer's clock is set by NTP")
    return 0
  end
  local least, most = probe.sent_at - (probe.date + 1), probe.received_at - probe.date
  if least <= 1 and most >= -1 then
    findings:ok("clock", "this clock and the service's agree to about a second")
    return 0
  end
  local ahead = (least + most) / 2
  local words = ("this clock is %.0f s %s the service's"):format(math.abs(ahead), ahead > 0 and "ahead of" or "behind")
  local advice = "set it by NTP (timedatectl set-ntp true), or let requests follow the service's: clock = \"auto\""
  local err = { kind = "AuthenticationError", clock_skew = ahead }
  if math.abs(ahead) > ACCEPTED_SECONDS then
    findings:fail("clock", words .. ", which refuses signatures more than 5 s off", advice, err)
  else
    findings:warn("clock", words .. ", which accepts 5 s", advice)
  end
  return ahead
end

return way
