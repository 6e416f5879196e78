using System.Text.Json;
using System.Text.Json.Nodes;

namespace CredBroker.Cedar.Tests.Differential;

/// <summary>Texts at the edges of the grammar, of which both implementations must say the same.</summary>
internal sealed class EdgeCaseTests
{
    private Oracle _oracle = null!;

    [OneTimeSetUp]
    public void Start() => _oracle = OracleModule.Start();

    [OneTimeTearDown]
    public void Stop() => _oracle?.Dispose();

    [Test]
    public void Schemas([Values(
        "entity A enum [\"a\", \"a\"];", "entity A enum [\"a\",];", "entity A enum [];", "entity A,;", "entity A, A;", "entity A; entity A;", "entity A; type A = Long;",
        "namespace N {entity A;} namespace N {}", "namespace N { entity A; } entity A;", "namespace N { type A = Long; } entity A;", "namespace N { type A = Long; } type A = Long;",
        "namespace N { entity A; } namespace N::A { entity B; }", "action a attributes {};", "action a attributes {x: 1};", "entity A; action a appliesTo {principal: A};",
        "entity A; action a appliesTo {principal: [], resource: A};", "entity A; action a appliesTo {principal: A, resource: [], context: {}};", "entity A in [A,];", "entity A in [];", "entity A in A;",
        "entity Long;", "type ipaddr = Long;", "type Long = Long;", "type Boolean = Long;", "type Set = Long;", "type Extension = Long;", "type Entity = Long;", "type Record = Long;", "type decimal = ipaddr; entity A {a: decimal};",
        "entity Action;", "type Action = Long;", "entity Set; entity A {a: Set};", "entity A {a: Set<Long>};", "entity A = {a: Long,} tags Long;", "entity A {a: Long} = tags Long;", "entity A tags {a: Long};", "entity A {\"\": Long};",
        "entity A {a: __cedar::Long};", "entity A {a: __cedar::A};", "entity __cedar;", "entity __cedarA;", "namespace __cedar {}", "namespace A::__cedar {}", "entity if;", "entity in;", "entity A {in: Long};", "entity A {\"in\": Long};", "entity A {if: Long};", "entity A {__cedar: Long};",
        "entity A {namespace: Long, type: Long, entity: Long, tags: Long, appliesTo: Long};", "entity type, action, tags, appliesTo, principal, context, attributes, resource;", "entity namespace;", "entity Set;", "entity enum;",
        "action if;", "action \"if\";", "action \"\";", "action a in b;", "action a in [b]; action b in [a];", "action a in [a];", "action a in [\"b\"]; action b;", "action a in [Action::\"b\"]; action b;", "namespace N { action a in [Action::\"b\"]; } action b;",
        "namespace N { action a in [b]; } action b;", "namespace N { action b; action a in [N::Action::\"b\"]; }", "action a in [B::\"b\"]; action b;", "action a, a;", "action a, b in [c], d;",
        "type A = A;", "type A = B; type B = A;", "type A = Set<A>;", "type A = {a: A};", "type A = {a?: B}; type B = Set<{x: A}>;", "type T = C; entity A {a: T};", "type T = A; entity A {a: T};", "namespace N { type T = N::A; entity A; }",
        "namespace N { type T = M::A; } namespace M { entity A; }", "namespace N { entity A in [M::A]; } namespace M { entity A; }", "entity A in [B::C]; ", "namespace N { entity A in [A]; } ", "namespace N { entity B { a: A }; } entity A;",
        "type T = {a: Long}; entity A; action a appliesTo {principal: A, resource: A, context: T};", "type T = Long; entity A; action a appliesTo {principal: A, resource: A, context: T};", "entity A; action a appliesTo {principal: A, resource: A, context: A};",
        "entity A; action a appliesTo {principal: A, principal: A, resource: A};", "entity A; action a appliesTo {context: {}, resource: A, principal: A,};", "entity A; action a appliesTo {};", "action a appliesTo {principal: T, resource: T}; type T = Long;",
        "entity E enum [\"x\"]; action a appliesTo {principal: E, resource: E};", "entity E enum [\"x\"] tags Long;", "entity E in [A] enum [\"x\"]; entity A;", "entity A in [E]; entity E enum [\"x\"];", "entity A, B enum [\"x\"];",
        "@a entity A;", "@a @a entity A;", "@a(\"x\") @b(\"y\") namespace N { @c type T = {@d a: Long}; }", "@in entity A;", "@a", "entity A {@a @a b: Long};", "entity A;;", ";", "", "// c", "namespace N { namespace M {} }", "namespace N {};", "entity A = {}", "entity A {};", "entity A = {} ;",
        "entity A {a: Set};", "entity A {a: Set<>};", "entity A {a: Set<Set<Long>>};", "entity A {a: Bool, b: Boolean};", "entity A {a?: datetime, b: duration};", "entity A {a: User};", "entity a::b;", "type a::b = Long;", "entity A {a : Long, b ? : Long};", "entity A {a: Long b: Long};", "entity A {a};", "entity A in [Action]; action a;", "entity A {a: Action}; action a;", "namespace N { entity A {a: Action}; } action x;", "entity A {a: Set<Action>};", "action __cedar;", "action a in [];", "namespace N { action a in \"b\"; } action b;", "entity A; action a appliesTo {principal: Action, resource: A};")] string text) =>
        Agree("checkParseSchema", JsonSerializer.Serialize(text), Schema.Parse(text).Errors);

    [Test]
    public void Policies([Values(
        "permit(principal,action,resource)", "permit(principal,action,resource,);", "permit(principal,action);", "permit(principal,resource,action);", "permit(principal==A::\"a\",action==Action::\"a\",resource==A::\"a\");", "permit(principal in [A::\"a\"],action,resource);", "permit(principal,action in [],resource);",
        "permit(principal,action in [Action::\"a\",],resource);", "permit(principal,action==[Action::\"a\"],resource);", "permit(principal,action in A::\"a\",resource);", "permit(principal,action is Action,resource);", "permit(principal is A::B,action,resource is C in D::\"d\");", "permit(principal is A in [B::\"b\"],action,resource);",
        "permit(principal==?principal,action,resource in ?resource);", "permit(principal==?resource,action,resource);", "permit(principal is A in ?principal,action,resource);", "permit(principal,action==?action,resource);", "permit(principal,action,resource) when {?principal==principal};", "permit(principal==\"a\",action,resource);",
        "permit(principal == A::B,action,resource);", "permit(principal == if::\"a\",action,resource);", "permit(principal == __cedar::\"a\",action,resource);", "permit(principal == A::\"\\*\",action,resource);", "permit(principal == A :: \"a\",action,resource);",
        "Permit(principal,action,resource);", "permit(principal,action,resource) when true;", "permit(principal,action,resource) when {};", "permit(principal,action,resource) when {true} unless {false} when {true};", "permit(principal,action,resource) when {true;};", "permit(principal,action,resource) when {true,false};", "permit(principal,action,resource) advice {true};")] string text) =>
        AgreeOnPolicy(text);

    [Test]
    public void Expressions([Values(
        "true", "1", "\"a\"", "principal", "foo", "A::\"a\"", "A::b", "A::B::\"c\"", "(true)", "((true))", "()", "[]", "[1,]", "[,]", "[1 2]", "{}", "{a:1,}", "{a:1,a:2}", "{\"a\":1,a:2}", "{1:1}", "{if:1}", "{\"if\":1}", "{a=1}", "{true:1}", "{principal:1}", "{context:context}", "{in:1}", "{__cedar:1}",
        "1+1", "1-1", "1 - -1", "1--1", "1 - - 1", "--1", "---1", "----1", "-----1", "- - - - 1", "-(-1)", "!!!!true", "!!!!!true", "!-1", "-!true", "-true", "+1", "1/1", "1%1", "1*2*3", "context.a*2*context.b", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "--9223372036854775808", "-(9223372036854775808)", "01", "1.0", "1e5", "0x1", "1_000", "00000000000000000000000000000001",
        "1==1==1", "1<2<3", "1==1!=true", "(1==1)==true", "1=1", "1<>1", "1===1", "true&&true||false&&true", "true&true", "true|true", "true and true", "not true", "true&&", "&&true", "if true then 1 else 2", "if true then 1", "if true then if false then 1 else 2 else 3", "(if true then 1 else 2)==1", "1==if true then 1 else 2", "[if true then 1 else 2]", "{a: if true then 1 else 2}", "true && if true then true else false", "!if true then true else false", "if if true then true else false then 1 else 2",
        "principal.a", "principal.a.b.c", "principal[\"a\"]", "principal['a']", "principal[a]", "principal[1]", "principal[\"a\"].b[\"c\"]", "principal.if", "principal.\"a\"", "principal.in", "principal.principal", "principal.true", "principal.__cedar", "principal.permit", "context.like", "context.then", "context[\"\"]", "principal.a()", "principal.contains", "principal . a", "1.a", "\"a\".b", "[1].a", "{a:1}.a", "true.a", "(1).a", "-1.a", "A::\"a\".b",
        "principal has a", "principal has \"a b\"", "principal has a.b", "principal has a.b.c", "principal has \"a\".b", "principal has a.\"b\"", "principal has a.if", "principal has if", "principal has \"if\"", "principal has true", "principal has a has b", "principal has principal", "principal has A::b", "principal has (a)", "principal has 1", "has a", "principal has a && principal has b", "principal has __cedar",
        "\"a\" like \"*\"", "\"a\" like a", "\"a\" like \"a\" like \"b\"", "\"a\" like \"\\*\"", "\"a\" like \"\\\\*\"", "\"a\" like (\"a\")", "1 like \"a\"", "principal.a like \"\\u{1F600}*\"", "\"a\" like \"a\" + \"b\"", "\"a\" like \"\\0\"", "\"a\" == \"\\*\"",
        "principal is A", "principal is A::B", "principal is A in B::\"b\"", "principal is A in [B::\"b\"]", "principal is A in principal.b", "principal is A is B", "principal is \"A\"", "principal is if", "principal is A in B::\"b\" in C::\"c\"", "(principal is A) in B::\"b\"", "principal is principal", "principal is A == true", "principal is Long", "principal is __cedar::A", "principal is A::\"a\"", "1 is A",
        "principal in B::\"b\"", "principal in [B::\"b\", C::\"c\"]", "principal in principal in principal", "principal in 1", "1 in 1 + 1", "principal in (B::\"b\")",
        "[1].contains(1)", "[1].contains()", "[1].contains(1,2)", "[1].contains(1,)", "[1].containsAll([1])", "[].isEmpty()", "[].isEmpty(1)", "principal.hasTag(\"a\")", "principal.getTag(\"a\")", "principal.getTag()", "contains([1],1)", "principal.foo(1)", "foo(1)", "A::foo(1)", "ip(\"1\")", "ip()", "ip(1,2)", "ip(\"a\",)", "principal.ip(\"a\")", "isIpv4(1)", "(1).isIpv4()", "ip(\"a\").isIpv4(1)", "ip(\"a\").isInRange()", "decimal(\"1.0\").lessThan(1)", "A::ip(\"1\")", "ip (\"a\")", "ip", "datetime(\"x\").offset(1).toDate()", "duration(\"1d\").toDays()", "toDays()", "[1].lessThan([2])", "principal.contains(1)(2)", "(ip)(\"a\")", "[1][0]", "isEmpty()",
        "\"\\n\\r\\t\\\\\\0\\'\\\"\"", "\"\\x41\"", "\"\\x80\"", "\"\\x4\"", "\"\\u{41}\"", "\"\\u{}\"", "\"\\u{110000}\"", "\"\\u{D800}\"", "\"\\u{1234567}\"", "\"\\u{4_1}\"", "\"\\u{_41}\"", "\"\\u41\"", "\"\\a\"", "\"\\\n\"", "\"a\nb\"", "\"a\rb\"", "\"a\tb\"", "'a'", "\"a", "\"\\", "\"\\u{000041}\"", "\"\0\"", "\"é\"", "é", "\"\\N\"", "\"\\e\"", "\"\\{\"", "\"\\/\"", "true // c", "true /* c */", "true // c\r && true", "tru\u00A0e", "true\u00A0", "true\u2028", "true\u0085", "true\u000B", "true\u000C", "\uFEFFtrue", "@a", "a b", "1 2", "true false", "principal principal", "$a", "#a", "`a`", "a:b", "a;b", "_", "_a == 1", "context._a", "context.a_1", "context.1a", "context.é")] string text) =>
        AgreeOnPolicy($"permit(principal, action, resource) when {{ {text}\n}};");

    [Test]
    public void Annotations([Values("@a", "@a()", "@a(\"\")", "@a(\"x\")", "@a(x)", "@a(1)", "@a(\"x\",)", "@a(\"x\")@a(\"y\")", "@a @a", "@if", "@permit(\"x\")", "@principal", "@a.b", "@a::b", "@\"a\"", "@ a", "@a (\"x\")", "@a\n(\"x\")", "@__cedar", "@é", "@1", "@_", "@a(\"\\*\")", "@a(\"x\");")] string text) =>
        AgreeOnPolicy($"{text} permit(principal, action, resource);");

    [Test]
    public void Values([Values("1", "-1", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "1.0", "1e2", "null", "true", "\"a\"", "[]", "[null]", "{}", "{\"a\":null}", "[1,\"a\",{}]",
        "{\"__entity\":{\"type\":\"A\",\"id\":\"a\"}}", "{\"__entity\":{\"type\":\"A::\",\"id\":\"a\"}}", "{\"__entity\":{\"type\":\"if\",\"id\":\"a\"}}", "{\"__entity\":{\"type\":\"__cedar\",\"id\":\"a\"}}", "{\"type\":\"A\",\"id\":\"a\"}",
        "{\"__extn\":{\"fn\":\"ip\",\"arg\":\"1.1.1.1\"}}", "{\"__extn\":{\"fn\":\"ip\",\"arg\":\"x\"}}", "{\"__extn\":{\"fn\":\"ip\",\"args\":[\"1.1.1.1\"]}}", "{\"__extn\":{\"fn\":\"ip\",\"args\":[]}}", "{\"__extn\":{\"fn\":\"ip\",\"arg\":1}}", "{\"__extn\":{\"fn\":\"nope\",\"arg\":\"1\"}}", "{\"__extn\":{\"fn\":\"datetime\",\"arg\":\"2024-01-01\"}}",
        "{\"__extn\":{\"fn\":\"offset\",\"args\":[{\"__extn\":{\"fn\":\"datetime\",\"arg\":\"2024-01-01\"}},{\"__extn\":{\"fn\":\"duration\",\"arg\":\"1d\"}}]}}", "{\"__expr\":\"1\"}", "{\"__entity\":null}", "\"\\ud83d\\ude00\"", "01", "-0", "--1", "[1,]", "{\"__extn\":{\"fn\":\"isIpv4\",\"arg\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"1.1.1.1\"}}}}")] string text)
    {
        try
        {
            using var _ = JsonDocument.Parse(text);
        }
        catch (JsonException)
        {
            Assert.That(CedarJson.ParseValue(text).IsValid, Is.False);
            return;
        }
        Agree("checkParseEntities", $$"""{"entities": [{"uid": {"type": "A", "id": ""}, "attrs": {"a": {{text}} }, "parents": []}]}""", CedarJson.ParseValue(text).Errors);
    }

    // The official implementation takes what looks like an entity or an extension value, and is none, for a record: a decision would rest on a misspelling.
    [Test]
    public void Broken_escapes_are_refused_where_the_official_implementation_takes_them_for_records([Values("{\"__entity\":{\"type\":\"A\"}}", "{\"__entity\":\"A::\\\"a\\\"\"}", "{\"__entity\":{\"type\":\"A\",\"id\":1}}", "{\"__extn\":{\"fn\":\"ip\"}}", "{\"__extn\":\"ip\"}")] string text)
    {
        Assert.That(CedarJson.ParseValue(text).IsValid, Is.False);
        var answer = _oracle.Call("checkParseEntities", $$"""{"entities": [{"uid": {"type": "A", "id": ""}, "attrs": {"a": {{text}} }, "parents": []}]}""");
        Assert.That(answer["type"]!.GetValue<string>(), Is.EqualTo("success"));
    }

    private void AgreeOnPolicy(string text)
    {
        // The text may hold templates: a whole set is asked for.
        var set = JsonSerializer.Serialize(text);
        var isTemplate = PolicySet.Parse(text).Value?.Templates.Length > 0;
        Agree("checkParsePolicySet", isTemplate ? $$$"""{"templates": {"t": {{{set}}}}}""" : $$"""{"staticPolicies": {{set}} }""", PolicySet.Parse(text).Errors);
    }

    private void Agree(string function, string argument, IReadOnlyList<Diagnostic> ours)
    {
        var answer = _oracle.Call(function, argument);
        Assert.That(ours.Count == 0, Is.EqualTo(answer["type"]!.GetValue<string>() == "success"), () => $"ours: {string.Join("; ", ours)}\n{Shown(answer)}");
    }

    private static string Shown(JsonNode answer) => answer.ToJsonString() is { Length: > 400 } text ? text[..400] : answer.ToJsonString();
}
