-- SPDX-License-Identifier: MIT
-- What is changed: every rule finds the places in a list of tokens that it fits, and gives each as
-- { rule, start, stop, new }: the bytes start to stop of the text become `new`.

local harmless = require "spec.mutants.harmless"
local tokens = require "spec.mutants.tokens"

local rules = {}

local COMPARISONS = {
  c = { ["<"] = "<=", ["<="] = "<", [">"] = ">=", [">="] = ">", ["=="] = "!=", ["!="] = "==" },
  lua = { ["<"] = "<=", ["<="] = "<", [">"] = ">=", [">="] = ">", ["=="] = "~=", ["~="] = "==" },
}
local LOGIC = { ["&&"] = "||", ["||"] = "&&", ["and"] = "or", ["or"] = "and" }
local ARITHMETIC = { ["+"] = "-", ["-"] = "+", ["+="] = "-=", ["-="] = "+=", ["++"] = "--", ["--"] = "++",
  ["*"] = "/", ["/"] = "*", ["<<"] = ">>", [">>"] = "<<", ["&"] = "|", ["|"] = "&" }
local TRUTH = { ["true"] = "false", ["false"] = "true" }

-- What the name of a dropped call says it did; the first that fits.
local CALLS = {
  { "lock", "dropped lock" },
  { "free", "dropped free" }, { "clear", "dropped free" }, { "close", "dropped free" }, { "destroy", "dropped free" },
  { "release", "dropped free" }, { "cleanup", "dropped free" }, { "wipe", "dropped free" },
  { "event", "dropped event" }, { "emit", "dropped event" }, { "tell", "dropped event" }, { "warn", "dropped event" },
  { "notify", "dropped event" }, { "wake", "dropped event" }, { "signal", "dropped event" },
}

local KEYWORDS = {}
for word in ([[if while for switch return sizeof else do case and or not then elseif until function local end in repeat
  goto]]):gmatch "%S+" do KEYWORDS[word] = true end

-- Is token i what a value can end with?
local function ends_value(token)
  if not token then return false end
  if token.kind == "op" then return token.text == ")" or token.text == "]" end
  return token.kind ~= "name" or not KEYWORDS[token.text]
end

local function text_between(source, list, first, last)
  return source:sub(list[first].start, list[last].stop)
end

local function add(found, rule, first, last, new)
  found[#found + 1] = { rule = rule, start = first.start, stop = last.stop, new = new, line = first.line }
end

-- ---- operators ----

local function is_spaced(source, token)
  return source:find("^%s", token.start - 1) and source:find("^%s", token.stop + 1)
end

local function operators(found, source, list, i, language)
  local token = list[i]
  local comparison = COMPARISONS[language][token.text]
  if comparison and harmless.is_extremum(source, token) then return end
  if comparison and token.kind == "op" then return add(found, "comparison", token, token, comparison) end
  if LOGIC[token.text] and token.kind ~= "string" then return add(found, "logic", token, token, LOGIC[token.text]) end
  if TRUTH[token.text] and token.kind == "name" then return add(found, "constant", token, token, TRUTH[token.text]) end
  local other = token.kind == "op" and ARITHMETIC[token.text]
  if not other then return nil end
  -- A star or an ampersand with blanks around it is not a pointer's, as the code is formatted.
  local binary = ends_value(list[i - 1]) and is_spaced(source, token)
  if binary or #token.text == 2 then add(found, "arithmetic", token, token, other) end
end

-- ---- constants ----

-- The size of an array where it is declared: `char text[64]`.
local function is_array_size(list, i)
  local open, name, before = list[i - 1], list[i - 2], list[i - 3]
  return open and open.text == "[" and name and name.kind == "name" and before
    and (before.kind == "name" and not KEYWORDS[before.text] or before.text == "*")
end

local function is_zero_initialiser(list, i)
  return list[i - 1] and list[i - 1].text == "{" and list[i + 1] and list[i + 1].text == "}" and list[i].text == "0"
end

local function plus(text, more)
  local prefix, digits, suffix = text:match "^(0[xX])(%x+)([uUlL]*)$"
  if prefix then return ("%s%x%s"):format(prefix, tonumber(digits, 16) + more, suffix) end
  digits, suffix = text:match "^(%d+)([uUlL]*)$"
  if digits then return ("%.0f%s"):format(tonumber(digits) + more, suffix) end
  digits = tonumber(text)
  return digits and ("%.17g"):format(digits + more)
end

-- Larger than what every Lua counts exactly.
local function is_huge(text)
  return text:find "^0[xX]%x%x%x%x%x%x%x%x%x%x%x%x%x" or text:find "^%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d"
end

-- The start of a plain search, `text:find(word, 1, true)`: 0 is the same.
local function is_search_start(list, i)
  local comma, plain, close = list[i + 1], list[i + 2], list[i + 3]
  return list[i].text == "1" and comma and comma.text == "," and plain and plain.text == "true" and close
    and close.text == ")"
end

-- The start of a part, `text:sub(1, 3)`: 0 is the same.
local function is_part_start(list, i)
  local colon, sub, open = list[i - 3], list[i - 2], list[i - 1]
  return list[i].text == "1" and open and open.text == "(" and sub and sub.text == "sub" and colon
    and colon.text == ":"
end

local BOUNDS = { ["<"] = true, ["<="] = true, [">"] = true, [">="] = true, ["+"] = true, ["-"] = true }

local function constants(found, _, list, i, language)
  local token = list[i]
  if language == "lua" and (is_search_start(list, i) or is_part_start(list, i)) then return end
  if token.kind ~= "number" or is_array_size(list, i) or is_zero_initialiser(list, i) then return end
  if is_huge(token.text) then return end
  local value = tonumber(token.text:match "^[%x.xX]+")
  local more = value == 1 and plus(token.text, -1) or plus(token.text, 1)
  if more then add(found, "constant", token, token, more) end
  local near = list[i - 1] and BOUNDS[list[i - 1].text] or list[i + 1] and BOUNDS[list[i + 1].text]
  local other = near and value ~= 0 and plus(token.text, value == 1 and 1 or -1)
  if other then add(found, "boundary", token, token, other) end
end

-- ---- conditions ----

-- A condition whose other half another rule makes: one `==`, or a `!` alone.
local function is_told_otherwise(list, first, last)
  local equal, logic = 0, 0
  for i = first, last do
    local text = list[i].text
    if text == "==" or text == "!=" or text == "~=" then equal = equal + 1 end
    if LOGIC[text] then logic = logic + 1 end
  end
  local negated = list[first].text == "!" or list[first].text == "not"
  return logic == 0 and (equal == 1 or negated)
end

local function negate(found, source, list, first, last, form)
  if is_told_otherwise(list, first, last) then return end
  add(found, "condition", list[first], list[last], form:format((text_between(source, list, first, last))))
end

local function conditions(found, source, list, i, language)
  local token = list[i]
  if token.text == "!" or token.text == "not" then return add(found, "condition", token, token, "") end
  if token.kind ~= "name" or token.text ~= "if" and token.text ~= "elseif" then return end
  if language == "c" then
    local close = list[i + 1] and list[i + 1].text == "(" and tokens.closing(list, i + 1)
    if close then negate(found, source, list, i + 2, close - 1, "!(%s)") end
    return
  end
  for last = i + 1, #list do
    if list[last].text == "then" then return negate(found, source, list, i + 1, last - 1, "not (%s)") end
  end
end

-- ---- statuses ----

local function statuses(found, _, list, i)
  local token = list[i]
  if token.kind ~= "name" or list[i - 1] and list[i - 1].text == "case" then return end
  local returned = list[i - 1] and list[i - 1].text == "return" and list[i + 1] and list[i + 1].text == ";"
  local new
  if token.text == "CDS_OK" and returned then new = "CDS_E_MEMORY" end
  if returned and (token.text:find "^CDS_E_" or token.text == "status") then new = "CDS_OK" end
  if not returned and token.text:find "^CDS_E_" then new = token.text == "CDS_E_API" and "CDS_E_AUTH" or "CDS_E_API" end
  if new then add(found, "status", token, token, new) end
end

-- ---- calls ----

-- Does a call begin at token i? The index of its opening bracket.
local function call_at(list, i)
  local open = list[i + 1]
  if list[i].kind ~= "name" or KEYWORDS[list[i].text] or not open or open.text ~= "(" then return nil end
  local first = i
  while list[first - 2] and (list[first - 1].text == "." or list[first - 1].text == ":") do first = first - 2 end
  local before = list[first - 1]
  -- `type name(` declares, and `function a.name(` does.
  if before and before.kind == "name" and (not KEYWORDS[before.text] or before.text == "function") then return nil end
  return i + 1
end

-- The tokens of each argument as { first, last }.
local function arguments(list, open, close)
  local found, first, i = {}, open + 1, open + 1
  while i < close do
    local text = list[i].text
    local opens = list[i].kind == "op" and (text == "(" or text == "[" or text == "{")
    if opens then i = tokens.closing(list, i) or close end
    if list[i].text == "," then
      found[#found + 1] = { first, i - 1 }
      first = i + 1
    end
    i = i + 1
  end
  found[#found + 1] = { first, close - 1 }
  return found
end

-- What an argument is at first sight, where that is another type than most have.
local function sort_of(list, argument)
  local first = list[argument[1]]
  return (first.kind == "string" or first.text == "&") and first.text:sub(1, 1) or ""
end

local function swapped(found, source, list, i, language)
  local open = (language == "lua" or list[i].depth > 0) and call_at(list, i)
  local close = open and tokens.closing(list, open)
  if not close or close == open + 1 or harmless.commutes(list, i, close) then return end
  local args = arguments(list, open, close)
  for at = 1, #args - 1 do
    local one, two = args[at], args[at + 1]
    if one[1] > one[2] or two[1] > two[2] then return end
    local left, right = text_between(source, list, one[1], one[2]), text_between(source, list, two[1], two[2])
    local between = source:sub(list[one[2]].stop + 1, list[two[1]].start - 1)
    local alike = language == "lua" or sort_of(list, one) == sort_of(list, two)
    if alike and left ~= right and not left:find "^function" and not right:find "^function" then
      add(found, "swapped arguments", list[one[1]], list[two[2]], right .. between .. left)
    end
  end
end

local function name_of_drop(callee)
  for _, call in ipairs(CALLS) do
    if callee:find(call[1], 1, true) then return call[2] end
  end
  return "dropped call"
end

-- The end of `name`, `a.b`, `a->b`, `a:b`, `a[i]` and of calls of those, from token i; whether it ends with a call,
-- and the name that is called first.
local function chain(list, i)
  local called, last_name, is_call = nil, list[i].text, false
  while list[i + 1] do
    local text = list[i + 1].text
    if (text == "." or text == "->" or text == ":") and list[i + 2] and list[i + 2].kind == "name" then
      i, last_name, is_call = i + 2, list[i + 2].text, false
    elseif text == "(" or text == "[" then
      local close = tokens.closing(list, i + 1)
      if not close then return nil end
      i, is_call = close, text == "("
      if is_call then called = last_name end
    else
      break
    end
  end
  return i, is_call, called
end

local C_BEFORE = { [";"] = true, ["{"] = true, ["}"] = true, [")"] = true, ["else"] = true, [":"] = true }

local function dropped_in_c(found, _, list, i)
  local first = i
  if list[i].text == "(" and list[i + 1] and list[i + 1].text == "void" and list[i + 2].text == ")" then i = i + 3 end
  local before = list[first - 1]
  if not list[i] or list[i].kind ~= "name" or KEYWORDS[list[i].text] or not before then return end
  if not C_BEFORE[before.text] or list[first].depth == 0 then return end
  if first == i and before.text == ")" and list[first - 2].text == "void" then return end -- the one behind a (void)
  local last, is_call, called = chain(list, i)
  if not last or not is_call or called == "va_end" or not list[last + 1] or list[last + 1].text ~= ";" then return end
  add(found, name_of_drop(called), list[first], list[last], "")
end

local LUA_BEFORE = { ["then"] = true, ["do"] = true, ["else"] = true, ["repeat"] = true, [";"] = true, [")"] = true,
  ["end"] = true, ["}"] = true }
local LUA_AFTER = { ["end"] = true, ["else"] = true, ["elseif"] = true, ["until"] = true, [";"] = true }

local function dropped_in_lua(found, _, list, i)
  local token, before = list[i], list[i - 1]
  if token.kind ~= "name" or KEYWORDS[token.text] or not before then return end
  local starts = LUA_BEFORE[before.text] or before.line < token.line and ends_value(before) and before.text ~= "return"
  if not starts then return end
  local last, is_call, called = chain(list, i)
  if not last or not is_call then return end
  local behind = list[last + 1]
  if behind and not LUA_AFTER[behind.text] and (behind.line == list[last].line or behind.kind == "op") then return end
  add(found, name_of_drop(called), token, list[last], "")
end

-- ---- all of them ----

-- How deep in braces each token is.
local function set_depths(list)
  local depth = 0
  for _, token in ipairs(list) do
    if token.text == "}" and token.kind == "op" then depth = depth - 1 end
    token.depth = depth
    if token.text == "{" and token.kind == "op" then depth = depth + 1 end
  end
end

local function flat(text)
  return (text:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", ""))
end

-- The lines a change touches, as one, before and after it.
local function set_texts(change, source)
  local first = change.start
  while first > 1 and source:sub(first - 1, first - 1) ~= "\n" do first = first - 1 end
  local rest = source:match("^[^\n]*", change.stop + 1)
  local head = source:sub(first, change.start - 1)
  change.before = flat(head .. source:sub(change.start, change.stop) .. rest)
  change.after = flat(head .. change.new .. rest)
end

--- Every change of a source text, in the order of its lines; language is "c" or "lua".
function rules.changes(source, language)
  local list, found = tokens.read(source, language), {}
  set_depths(list)
  harmless.mark_hints(list)
  local dropped = language == "c" and dropped_in_c or dropped_in_lua
  for i, token in ipairs(list) do
    if token.is_hint then
      dropped(found, source, list, i)
    elseif not token.directive or token.directive == "define" then
      operators(found, source, list, i, language)
      constants(found, source, list, i, language)
      conditions(found, source, list, i, language)
      if language == "c" then statuses(found, source, list, i) end
      if not token.directive then
        swapped(found, source, list, i, language)
        dropped(found, source, list, i)
      end
    end
  end
  for _, change in ipairs(found) do set_texts(change, source) end
  return found
end

--- The text with one change made.
function rules.apply(source, change)
  return source:sub(1, change.start - 1) .. change.new .. source:sub(change.stop + 1)
end

return rules
