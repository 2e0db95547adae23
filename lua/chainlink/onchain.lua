-- SPDX-License-Identifier: MIT
-- Verification by the chain's own contracts, asked through any Ethereum node. Nothing is sent as a transaction.

local core = require "chainlink.core"
local abi = require "chainlink.onchain.abi"
local anonymous = require "chainlink.anonymous"
local calls = require "chainlink.call"
local configuration = require "chainlink.onchain.configuration"
local errors = require "chainlink.errors"
local networks = require "chainlink.networks"
local rpc = require "chainlink.onchain.rpc"

local onchain = { networks = networks }

local VERIFY = "0xf7e83aee" -- verify(bytes,bytes)
local VERIFY_BULK = "0xf873a61c" -- verifyBulk(bytes[],bytes)
local VERIFY_VIEW = "0x51b34c90" -- verifyView(bytes), from 2.0.1 on
local VERIFY_BULK_VIEW = "0x665bc7a3" -- verifyBulkView(bytes[])
local GET_VERIFIER = "0xeeb7b248" -- getVerifier(bytes32)
local NOBODY = "0x" .. ("0"):rep(40)

-- ---- options ----

local own = { rpc_url = true, verifier_proxy = true, network = true, from = true, from_block = true }
local engine_options = { "timeout", "connect_timeout", "max_retries", "retry_delay", "retry_max_delay", "rate_limit",
  "circuit_breaker", "headers", "tls", "proxy", "logger", "log_level", "on_response", "loop" }

local function raise(...)
  errors.raise("ConfigError", (...):format(select(2, ...)))
end

local function address(value, name)
  if type(value) == "string" and #value == 42 and value:find "^0[xX]%x+$" then return value:lower() end
  raise("option '%s' must be an address, 0x and 40 hex digits, got %s", name, errors.describe(value))
end

local function proxy_address(options)
  if options.verifier_proxy ~= nil then
    if options.network ~= nil then raise "give either 'verifier_proxy' or 'network', not both" end
    return address(options.verifier_proxy, "verifier_proxy")
  end
  if options.network == nil then raise "option 'verifier_proxy' or 'network' is required" end
  local network = networks[options.network]
  if not network then
    raise("option 'network': no network is named %s; docs/onchain.md lists them, others need 'verifier_proxy'",
      errors.describe(options.network))
  end
  return network.verifier_proxy
end

local function check_rpc_url(value)
  local scheme = type(value) == "string" and value:match "^(%a+)://"
  scheme = scheme and scheme:lower()
  if scheme == "https" or scheme == "http" then return end
  raise("option 'rpc_url' must be a URL that starts with https://, got %s", errors.describe(value, true))
end

local function check_from_block(value)
  if value == nil then return 0 end
  if type(value) == "number" and value >= 0 and value < 2 ^ 48 and value == math.floor(value) then return value end
  raise("option 'from_block' must be a block's number, got %s", errors.describe(value))
end

-- What the engine's client takes.
local function client_options(options)
  local out = { rest_url = options.rpc_url, rate_limit = false }
  local allowed = {}
  for _, name in ipairs(engine_options) do
    allowed[name] = true
    if options[name] ~= nil then out[name] = options[name] end
  end
  for name in pairs(options) do
    if not own[name] and not allowed[name] then raise("there is no option %s", errors.describe(name)) end
  end
  return out
end

-- ---- transport ----

local function post_through(client, state)
  return function(body)
    local call, err = core.post(client, body)
    if not call then return nil, err end
    local answer, status = calls.finish(state, call)
    if not answer then return nil, status end
    return answer
  end
end

-- ---- verification ----

local Onchain = {}
local methods = {}
Onchain.__index = methods

local function check_self(self, method)
  if getmetatable(self) ~= Onchain then
    raise("%s: called on %s; write onchain:%s(...) with a colon", method, errors.describe(self), method)
  end
  return self
end

local function check_report(report, name)
  if type(report) == "userdata" and debug.getmetatable(report) == core.report_metatable then return report end
  raise("%s must be a report, got %s", name, errors.describe(report))
end

-- eth_call of the proxy. -> hex without 0x | nil, err
local function ask(self, data)
  local from = self.from and ('"from":"%s",'):format(self.from) or ""
  local result, err = self.call("eth_call", ('[{%s"to":"%s","data":"%s"},"latest"]'):format(
    from, self.verifier_proxy, data))
  if result == nil then return nil, err end
  local hex = rpc.data(result)
  if hex == "" then
    return nil, rpc.decode_error("eth_call", "nothing answers at " .. self.verifier_proxy
      .. ": is this node one of the right network?", "a VerifierProxy contract")
  end
  if hex then return hex end
  return nil, rpc.decode_error("eth_call", "the result is not hex text", "0x and hex digits")
end

-- Has the proxy verifyView and verifyBulkView, which no fee manager stands before? Asked once, about no report at all.
-- -> boolean | nil, err
local function has_views(self)
  if self.views ~= nil then return self.views end
  local nothing = abi.bytes_array {}
  local answer, err = ask(self, VERIFY_BULK_VIEW .. nothing)
  if answer then self.views = answer == nothing
  elseif err.reason == "AccessForbidden" then self.views = true
  elseif err.kind == "VerificationError" then self.views = false
  elseif err.rpc then return false -- perhaps a way to say so, perhaps a passing fault: asked again next time
  else return nil, err end
  return self.views
end

-- The contract answers the blob that it verified: it has to be ours.
local function compare(answer, expected)
  if answer == expected then return true end
  return nil, errors.new("VerificationError", "BlobMismatch: the contract answered another report blob",
    { reason = "BlobMismatch" })
end

--- Lets the contract verify a report. -> true | nil, err
function methods.verify(self, report)
  check_self(self, "verify")
  check_report(report, "report")
  local views, err = has_views(self)
  if views == nil then return nil, err end
  local payload = report.full_report:sub(3)
  local data = views and VERIFY_VIEW .. abi.bytes(payload) or VERIFY .. abi.two_bytes(payload, "")
  local answer
  answer, err = ask(self, data)
  if not answer then return nil, err end
  return compare(answer, abi.bytes(report.report_blob:sub(3)))
end

-- The first report that the contract refuses by itself; err when none is.
local function find_refused(self, reports, err)
  for i, report in ipairs(reports) do
    local ok, reason = methods.verify(self, report)
    if not ok then
      reason.index = i
      return nil, reason
    end
  end
  return nil, err
end

--- Lets the contract verify several reports with one question. -> true | nil, err with err.index, the place of the
--- first report that it refuses
function methods.verify_bulk(self, reports)
  check_self(self, "verify_bulk")
  if type(reports) ~= "table" then raise("reports must be an array of reports, got %s", errors.describe(reports)) end
  local payloads, blobs = {}, {}
  for i, report in ipairs(reports) do
    check_report(report, ("reports[%d]"):format(i))
    payloads[i], blobs[i] = report.full_report:sub(3), report.report_blob:sub(3)
  end
  if #payloads == 0 then return true end
  local views, err = has_views(self)
  if views == nil then return nil, err end
  local data = views and VERIFY_BULK_VIEW .. abi.bytes_array(payloads)
    or VERIFY_BULK .. abi.bytes_array_and_bytes(payloads, "")
  local answer
  answer, err = ask(self, data)
  if answer then return compare(answer, abi.bytes_array(blobs)) end
  if err.kind ~= "VerificationError" then return nil, err end
  return find_refused(self, reports, err)
end

--- Who signs for a config digest. -> {signers=, f=, active=}, as chainlink.signers takes it | nil, err
function methods.signers(self, config_digest)
  check_self(self, "signers")
  if type(config_digest) ~= "string" or #config_digest ~= 66 or not config_digest:find "^0[xX]%x+$" then
    raise("config_digest must be a text of 0x and 64 hex digits, got %s", errors.describe(config_digest))
  end
  local digest = config_digest:sub(3):lower()
  local answer, err = ask(self, GET_VERIFIER .. digest)
  if not answer then return nil, err end
  local verifier = #answer == 64 and abi.address(answer)
  if not verifier then return nil, rpc.decode_error("eth_call", "getVerifier answered no address", "an address") end
  if verifier == NOBODY then
    return nil, errors.new("VerificationError", "VerifierNotFound: the proxy has no verifier for the config digest: 0x"
      .. digest, { reason = "VerifierNotFound", config_digest = "0x" .. digest })
  end
  return configuration.read(self.call, self.verifier_proxy, verifier, digest, self.from_block)
end

--- Ends its connections. May be called again.
function methods.close(self)
  check_self(self, "close")
  if self.client then core.client_close(self.client) end
end

Onchain.__close = methods.close

function Onchain.__tostring(self)
  return "chainlink.onchain (" .. self.verifier_proxy .. ")"
end

--- A verifier by options, as docs/onchain.md lists them; wrong ones raise. `post` (tests) stands in for the engine:
--- a function of a request's body that returns the answer's, or nil, err.
function onchain.new(options, post)
  if type(options) ~= "table" then raise("options must be a table, got %s", errors.describe(options)) end
  local self = { verifier_proxy = proxy_address(options), from_block = check_from_block(options.from_block),
    from = options.from ~= nil and address(options.from, "from") or nil }
  if not post then
    local state
    check_rpc_url(options.rpc_url)
    self.client, state = anonymous.open(client_options(options), "rpc_url")
    post = post_through(self.client, state)
  end
  self.call = rpc.new(post)
  return setmetatable(self, Onchain)
end

return setmetatable(onchain, { __call = function(_, options) return onchain.new(options) end })
