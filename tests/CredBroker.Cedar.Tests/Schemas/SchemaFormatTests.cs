using System.Text.Json.Nodes;

namespace CredBroker.Cedar.Tests.Schemas;

/// <summary>The two formats of schemas, and what goes from one to the other.</summary>
internal sealed class SchemaFormatTests
{
    private const string Text = """
        entity U;

        action q appliesTo {
          principal: [N::A],
          resource: [U]
        };

        @a("x")
        namespace N {
          @doc("")
          type T = {
            a: Long,
            "b c"?: Set<String>,
            @x("")
            c: __cedar::Long
          };

          entity A, B in [B] = {
            x?: T,
            y: A,
            z: ipaddr
          } tags Set<Long>;

          entity E enum ["a", "b"];

          action "x y", z in [g, N::Action::"h"] appliesTo {
            principal: [A],
            resource: [B],
            context: T
          };

          action g;

          action h in [g];
        }

        """;

    // What the official implementation makes of the text above.
    private const string Json = """
        {"":{"entityTypes":{"U":{}},"actions":{"q":{"appliesTo":{"resourceTypes":["U"],"principalTypes":["N::A"]}}}},
        "N":{"commonTypes":{"T":{"type":"Record","attributes":{"a":{"type":"EntityOrCommon","name":"Long"},"b c":{"type":"Set","element":{"type":"EntityOrCommon","name":"String"},"required":false},"c":{"type":"EntityOrCommon","name":"__cedar::Long","annotations":{"x":""}}},"annotations":{"doc":""}}},
        "entityTypes":{"A":{"memberOfTypes":["B"],"shape":{"type":"Record","attributes":{"x":{"type":"EntityOrCommon","name":"T","required":false},"y":{"type":"EntityOrCommon","name":"A"},"z":{"type":"EntityOrCommon","name":"ipaddr"}}},"tags":{"type":"Set","element":{"type":"EntityOrCommon","name":"Long"}}},
        "B":{"memberOfTypes":["B"],"shape":{"type":"Record","attributes":{"x":{"type":"EntityOrCommon","name":"T","required":false},"y":{"type":"EntityOrCommon","name":"A"},"z":{"type":"EntityOrCommon","name":"ipaddr"}}},"tags":{"type":"Set","element":{"type":"EntityOrCommon","name":"Long"}}},
        "E":{"enum":["a","b"]}},
        "actions":{"x y":{"appliesTo":{"resourceTypes":["B"],"principalTypes":["A"],"context":{"type":"EntityOrCommon","name":"T"}},"memberOf":[{"id":"g"},{"id":"h","type":"N::Action"}]},
        "z":{"appliesTo":{"resourceTypes":["B"],"principalTypes":["A"],"context":{"type":"EntityOrCommon","name":"T"}},"memberOf":[{"id":"g"},{"id":"h","type":"N::Action"}]},
        "g":{},"h":{"memberOf":[{"id":"g"}]}},"annotations":{"a":"x"}}}
        """;

    [Test]
    public void Text_is_written_as_it_was_laid_out() => Assert.That(Schema.Parse(Text).OrThrow().ToText().OrThrow(), Is.EqualTo(Text));

    [Test]
    public void Text_becomes_the_JSON_that_the_official_implementation_makes_of_it() =>
        Assert.That(JsonNode.DeepEquals(JsonNode.Parse(Schema.Parse(Text).OrThrow().ToJson()), JsonNode.Parse(Json)), Schema.Parse(Text).OrThrow().ToJson());

    [Test]
    public void JSON_becomes_text_that_becomes_the_same_JSON()
    {
        var text = Schema.ParseJson(Json).OrThrow().ToText().OrThrow();
        Assert.That(JsonNode.DeepEquals(JsonNode.Parse(Schema.Parse(text).OrThrow().ToJson()), JsonNode.Parse(Json)), text);
    }

    [TestCase("""{"type": "Long"}""", "a: __cedar::Long")]
    [TestCase("""{"type": "Boolean"}""", "a: Bool")]
    [TestCase("""{"type": "Entity", "name": "Long"}""", "a: Long")]
    [TestCase("""{"type": "EntityOrCommon", "name": "Long"}""", "a: Long")]
    [TestCase("""{"type": "Extension", "name": "ipaddr"}""", "a: ipaddr")]
    [TestCase("""{"type": "T", "required": false}""", "a?: T")]
    [TestCase("""{"type": "Set", "element": {"type": "Record", "attributes": {}}}""", "a: Set<{}>")]
    public void A_type_of_JSON_means_the_same_in_text(string type, string text)
    {
        var schema = Schema.ParseJson("""{"": {"commonTypes": {"T": {"type": "String"}}, "entityTypes": {"Long": {}, "A": {"shape": {"type": "Record", "attributes": {"a": TYPE}}}}, "actions": {}}}"""
            .Replace("TYPE", type, StringComparison.Ordinal)).OrThrow();
        var written = schema.ToText().OrThrow();
        Assert.That(written, Does.Contain(text));
        Assert.That(Schema.Parse(written).OrThrow().FindEntityType("A")!.Attributes, Is.EqualTo(schema.FindEntityType("A")!.Attributes));
    }

    [TestCase("""{"": {"commonTypes": {"A": {"type": "String"}}, "entityTypes": {"A": {}, "B": {"tags": {"type": "Entity", "name": "A"}}}, "actions": {}}}""", "which is meant")]
    [TestCase("""{"": {"commonTypes": {"T": {"type": "Record", "attributes": {}}}, "entityTypes": {"A": {"shape": {"type": "T"}}}, "actions": {}}}""", "spell them out")]
    public void What_text_cannot_say_is_an_error(string json, string why) =>
        Assert.That(Schema.ParseJson(json).OrThrow().ToText().Errors.Single().Message, Does.Contain(why));

    [TestCase("""{"": {"entityTypes": {}}}""", "'actions' is missing")]
    [TestCase("""{"": {"entityTypes": {"A": {"shape": {"type": "Record", "attributes": {}, "additionalAttributes": true}}}, "actions": {}}}""", "additional attributes")]
    [TestCase("""{"": {"entityTypes": {"A": {"shape": {"type": "Long"}}}, "actions": {}}}""", "record")]
    [TestCase("""{"": {"entityTypes": {"A": {"shape": {"type": "A"}}}, "actions": {}}}""", "no type A")]
    [TestCase("""{"": {"entityTypes": {}, "actions": {"a": {"attributes": {}}}}}""", "unknown here")]
    [TestCase("""{"": {"entityTypes": {"A": {"enum": []}}, "actions": {}}}""", "at least one")]
    [TestCase("""{"": {"entityTypes": {"A": {"enum": ["x"], "tags": {"type": "Long"}}}, "actions": {}}}""", "unknown here")]
    [TestCase("""{"a b": {"entityTypes": {}, "actions": {}}}""", "namespace")]
    [TestCase("""{"": {"entityTypes": {"if": {}}, "actions": {}}}""", "no name for a type")]
    [TestCase("""{"": {"entityTypes": {"A": {"tags": {"type": "Extension", "name": "Long"}}}, "actions": {}}}""", "extension type")]
    [TestCase("""{"": {"entityTypes": {"A": {"tags": {"type": "Long", "element": {}}}}, "actions": {}}}""", "unknown here")]
    [TestCase("""{"": {"commonTypes": {"T": {"type": "Set", "element": {"type": "T"}}}, "entityTypes": {}, "actions": {}}}""", "by itself")]
    [TestCase("""{"": {"entityTypes": {}, "actions": {"a": {"memberOf": [{"id": "b"}]}, "b": {"memberOf": [{"id": "a"}]}}}}""", "in itself")]
    [TestCase("""{"": {"entityTypes": {"A": {"memberOfTypes": ["B"]}}, "actions": {}}}""", "no entity type B")]
    [TestCase("""{"N": {"entityTypes": {"A": {}}, "actions": {}}, "": {"entityTypes": {"A": {}}, "actions": {}}}""", "outside of the namespace")]
    public void Refuses(string json, string why) => Assert.That(Schema.ParseJson(json).Errors.First().Message, Does.Contain(why));
}
