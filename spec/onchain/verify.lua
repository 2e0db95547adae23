-- SPDX-License-Identifier: MIT
-- Usage: verify.lua URL DEPLOYMENT VERDICTS: do our two verifications, offline and through the node, come to the
-- contract's verdict and reason on every report? The contracts are of 2.0.0, and of 2.0.1, which has view functions.
-- The files are those of deploy.mjs and verify.mjs.

package.path = "spec/onchain/?.lua;" .. package.path
local chainlink = require "chainlink"
local cjson = require "cjson"
local tap = require "tap"

local url, deployment_file, verdicts_file = arg[1], arg[2], arg[3]
local file = assert(io.open(deployment_file, "rb"))
local deployment = cjson.decode(file:read "*a")
file:close()
local addresses = deployment.addresses
local onchain = chainlink.onchain { rpc_url = url, verifier_proxy = addresses.proxy }
local viewing = chainlink.onchain { rpc_url = url, verifier_proxy = addresses.viewing_proxy }

local registry = chainlink.signers {}
for _, set in ipairs(deployment.configurations) do
  if set.known then registry:add(set.digest, { signers = set.signers, f = set.f, active = set.active }) end
end

-- ---- each report ----

local rows = tap.rows(verdicts_file)
for _, row in ipairs(rows) do row.report, row.decode_error = chainlink.decode(row[2]) end

local function differs(reason, row)
  local expected = row[3]
  if reason ~= expected then return ("%s, the contract says %s"):format(tostring(reason), expected) end
end

local offline_names = { UnknownDigest = "VerifierNotFound" }

local function offline(row)
  if not row.report then return tostring(row.decode_error) end
  local ok, err = row.report:verify(registry)
  local problem = differs(ok and "ok" or offline_names[err.reason] or err.reason, row)
  if problem or ok then return problem end
  if err.kind ~= "VerificationError" then return "kind " .. err.kind end
end

local function by_chain(chain, row)
  if not row.report then return tostring(row.decode_error) end
  local ok, err = chain:verify(row.report)
  local problem = differs(ok and "ok" or err.reason, row)
  if problem or ok then return problem end
  if err.kind ~= "VerificationError" then return "kind " .. err.kind end
  if err.config_digest and err.config_digest ~= row[4] then return "digest " .. err.config_digest end
  if row[3] == "IncorrectSignatureCount" and (tostring(err.got) ~= row[4] or tostring(err.expected) ~= row[5]) then
    return "count " .. err.message
  end
  if row[3] == "MismatchedSignatures" and (tostring(err.expected) ~= row[4] or tostring(err.got) ~= row[5]) then
    return "count " .. err.message
  end
end

local function through_node(row) return by_chain(onchain, row) end
local function by_view(row) return by_chain(viewing, row) end

local function with_blob(row)
  if row.report.report_blob ~= row[4] then return "another blob" end
end

local by_reason, order, valid, refused = {}, {}, {}, {}
for _, row in ipairs(rows) do
  if not by_reason[row[3]] then
    by_reason[row[3]] = {}
    order[#order + 1] = row[3]
  end
  table.insert(by_reason[row[3]], row)
  table.insert(row[3] == "ok" and valid or refused, row)
end
table.sort(order)

for _, reason in ipairs(order) do tap.each("offline: " .. reason, by_reason[reason], offline) end
for _, reason in ipairs(order) do tap.each("through the node: " .. reason, by_reason[reason], through_node) end
for _, reason in ipairs(order) do tap.each("by view functions: " .. reason, by_reason[reason], by_view) end
tap.each("the verified blob", valid, with_blob)
tap.ok(#rows >= 2000 and #valid >= 200, ("enough reports: %d, of which %d verify"):format(#rows, #valid))
for _, reason in ipairs { "BadVerification", "DigestInactive", "IncorrectSignatureCount", "MismatchedSignatures",
  "Panic", "VerifierNotFound" } do
  tap.ok(#(by_reason[reason] or {}) >= 30, "enough of " .. reason)
end

-- ---- several at once ----

local function reports_of(list, count)
  local reports = {}
  for i = 1, count do reports[i] = list[i].report end
  return reports
end

local ok, err
for version, chain in pairs { ["2.0.0"] = onchain, ["2.0.1"] = viewing } do
  tap.ok(chain:verify_bulk {} == true, version .. ": verify_bulk of nothing")
  tap.ok(chain:verify_bulk(reports_of(valid, 100)) == true, version .. ": verify_bulk of 100 valid reports")
  local mixed = reports_of(valid, 5)
  mixed[4] = refused[1].report
  ok, err = chain:verify_bulk(mixed)
  tap.ok(not ok and err.index == 4 and err.reason == refused[1][3], version .. ": it names the one that is refused",
    { tostring(err) })
end

-- ---- a proxy behind a fee manager, and an access controller that knows addresses.reader ----

local of_small = {}
for _, row in ipairs(valid) do
  if row.report.config_digest == deployment.configurations[1].digest and row.report.version ~= 1 then
    of_small[#of_small + 1] = row
  end
end
tap.ok(deployment.configurations[1].name == "small" and #of_small >= 3, "reports of the guarded proxy's configuration")
local group = reports_of(of_small, 3)

local nobody = chainlink.onchain { rpc_url = url, verifier_proxy = addresses.guarded_proxy }
for name, argument in pairs { verify = group[1], verify_bulk = group } do
  ok, err = nobody[name](nobody, argument)
  tap.ok(ok == nil and err.kind == "AuthenticationError" and err.reason == "AccessForbidden" and err.index == nil,
    name .. ": the access controller refuses who is not known", { tostring(err) })
end
local reader = chainlink.onchain { rpc_url = url, verifier_proxy = addresses.guarded_proxy, from = addresses.reader }
tap.ok(reader:verify(group[1]) == true and reader:verify_bulk(group) == true, "who is known verifies, and pays nothing")
reader.views = false -- as if the proxy had none
ok, err = reader:verify(group[1])
tap.ok(ok == nil and err.reason == "Reverted", "which the fee manager would not let by", { tostring(err) })

-- ---- signers ----

local function equal_sets(set, expected)
  return set.f == expected.f and set.active == expected.active
    and table.concat(set.signers, ",") == table.concat(expected.signers, ",")
end

local function check_signers(set)
  local found, why = onchain:signers(set[1])
  if not set.known then
    if found or why.reason ~= "VerifierNotFound" then return tostring(found or why) end
  elseif not found then return tostring(why)
  elseif not equal_sets(found, set) then return cjson.encode(found) end
end

local sets, read_back = {}, chainlink.signers {}
for i, set in ipairs(deployment.configurations) do
  sets[i] = { set.digest, known = set.known, f = set.f, active = set.active, signers = set.signers }
end
tap.each("signers of each configuration", sets, check_signers)
local none, why = onchain:signers("0x" .. ("ab"):rep(32))
tap.ok(none == nil and why.reason == "VerifierNotFound", "signers of an unknown digest", { tostring(why) })
for _, set in ipairs(sets) do
  if set.known then read_back:add(set[1], onchain:signers(set[1])) end
end
tap.each("offline, with signers from the chain", valid, function(row)
  local good, reason = row.report:verify(read_back)
  return not good and tostring(reason) or nil
end)

-- ---- the command ----

local function command(arguments)
  local pipe = assert(io.popen(("timeout 60 chainlink-streams verify --rpc-url %s --verifier-proxy %s --format csv %s; "
    .. "echo $?"):format(url, addresses.proxy, arguments)))
  local output = pipe:read "*a"
  pipe:close()
  return output
end

local output = command(valid[1][2])
tap.ok(output:find ",true,\n0\n$" ~= nil, "chainlink-streams verify of a valid report")
output = command(valid[1][2] .. " " .. refused[1][2])
tap.ok(output:find(",true,\n.*,false," .. refused[1][3] .. "\n4\n$") ~= nil, "and of one that is refused")

local nowhere = chainlink.onchain { rpc_url = url, verifier_proxy = "0x" .. ("12"):rep(20) }
local missing, no_contract = nowhere:verify(valid[1].report)
tap.ok(missing == nil and no_contract.kind == "DecodeError" and no_contract.message:find "right network",
  "an address without a contract", { tostring(no_contract) })
for _, chain in ipairs { nowhere, nobody, reader, viewing, onchain } do chain:close() end
tap.finish()
