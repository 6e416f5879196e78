namespace CredBroker.Cedar.Tests.Json;

internal sealed class EntityJsonTests
{
    [Test]
    public void Reads_entities_with_and_without_wrapping_where_the_schema_tells()
    {
        var schema = Schema.Parse("entity A { friend: A, at: datetime, from: Set<ipaddr> } tags A;").OrThrow();
        const string Json = """
            [{"uid": {"type": "A", "id": "1"}, "parents": [{"__entity": {"type": "A", "id": "2"}}],
              "attrs": {"friend": {"type": "A", "id": "3"}, "at": "2024-01-01", "from": ["::1", {"__extn": {"fn": "ip", "arg": "10.0.0.1"}}]},
              "tags": {"t": {"__entity": {"type": "A", "id": "4"}}}}]
            """;
        var entity = CedarJson.ParseEntities(Json, schema).OrThrow().Entities.Single();
        Assert.That(entity.Attributes.ToString(), Is.EqualTo(
            "{at: datetime(\"2024-01-01T00:00:00.000Z\"), friend: A::\"3\", from: [ip(\"0:0:0:0:0:0:0:1\"), ip(\"10.0.0.1\")]}"));
        Assert.That(entity.Tags.ToString(), Is.EqualTo("{t: A::\"4\"}"));
        Assert.That(entity.Parents.Single().Id, Is.EqualTo("2"));
    }

    [TestCase("9223372036854775807", "9223372036854775807")]
    [TestCase("\"\\u0000\"", "\"\\u{0}\"")]
    [TestCase("[1, 1, true]", "[1, true]")]
    [TestCase("{\"a b\": {}}", "{\"a b\": {}}")]
    public void Reads_values(string json, string expected) => Assert.That(CedarJson.ParseValue(json).OrThrow().ToString(), Is.EqualTo(expected));

    [TestCase("null")]
    [TestCase("[null]")]
    [TestCase("1.5")]
    [TestCase("1.0")]
    [TestCase("1e2")]
    [TestCase("9223372036854775808")]
    [TestCase("{\"a\": 1, \"a\": 2}")]
    [TestCase("{\"__entity\": {\"type\": \"A\"}}")]
    [TestCase("{\"__entity\": {\"type\": \"A B\", \"id\": \"x\"}}")]
    [TestCase("{\"__entity\": {\"type\": \"A\", \"id\": \"x\", \"more\": 1}}")]
    [TestCase("{\"__extn\": {\"fn\": \"ip\", \"arg\": \"x\"}}")]
    [TestCase("{\"__extn\": {\"fn\": \"system\", \"arg\": \"x\"}}")]
    [TestCase("\"\\ud800\"")]
    [TestCase("[1,]")]
    [TestCase("{")]
    [TestCase("")]
    public void Refuses_values(string json) => Assert.That(CedarJson.ParseValue(json).Errors, Is.Not.Empty);

    [Test]
    public void Refuses_depth() => Assert.That(CedarJson.ParseValue(new string('[', 100_000)).Errors, Is.Not.Empty);

    [TestCase("{}")]
    [TestCase("[{}]")]
    [TestCase("[{\"uid\": {\"type\": \"A\", \"id\": \"1\"}, \"attrs\": {}}]")]
    [TestCase("[{\"uid\": {\"type\": \"A\", \"id\": \"1\"}, \"attrs\": {}, \"parents\": [], \"extra\": 1}]")]
    [TestCase("[{\"uid\": {\"type\": \"A\", \"id\": \"1\"}, \"attrs\": {}, \"parents\": [{\"type\": \"A\", \"id\": \"1\"}]}]")]
    public void Refuses_entities(string json) => Assert.That(CedarJson.ParseEntities(json).Errors, Is.Not.Empty);
}
