namespace CredBroker.Cedar.Tests.Conformance;

[TestFixtureSource(typeof(Corpus), nameof(Corpus.Available))]
internal sealed class CorpusTests(Corpus corpus)
{
    [Test]
    public void Decides_every_request_as_the_official_implementation_does() => DecidesAll("", c => c.Policies);

    [Test]
    public void Decides_every_request_the_same_after_the_policies_went_from_text_to_JSON_and_back() => DecidesAll(" after a round trip",
        c => PolicySet.Parse(PolicySet.ParseJson(c.Policies.ToJson()).OrThrow().ToString()).OrThrow());

    private void DecidesAll(string how, Func<CorpusCase, PolicySet> policies)
    {
        var disagreements = new List<string>();
        var requests = 0;
        foreach (var item in corpus.Read())
        {
            var authorizer = new Authorizer(policies(item));
            foreach (var expected in item.Requests)
            {
                requests++;
                var response = authorizer.IsAuthorized(expected.Request, item.Entities);
                if (!expected.IsAnsweredBy(response))
                    disagreements.Add($"{item.Name}, {expected.Description}: {response}");
            }
        }
        TestContext.Out.WriteLine($"{requests} requests of {corpus}{how}");
        Assert.That(disagreements, Is.Empty);
        Assert.That(requests, Is.EqualTo(corpus.Requests));
    }

    [Test]
    public void Validates_every_policy_set_as_the_official_implementation_does() => ValidatesAll("", c => c.Schema);

    [Test]
    public void Validates_every_policy_set_the_same_after_the_schema_went_from_text_to_JSON_and_back() => ValidatesAll(" after a round trip",
        c => Schema.Parse(Schema.ParseJson(c.Schema.ToJson()).OrThrow().ToText().OrThrow()).OrThrow());

    private void ValidatesAll(string how, Func<CorpusCase, Schema> schema)
    {
        var disagreements = new List<string>();
        var (valid, invalid) = (0, 0);
        foreach (var item in corpus.Read())
        {
            var issues = new Validator(schema(item)).Validate(item.Policies);
            var isValid = issues.All(i => i.IsWarning);
            (valid, invalid) = isValid ? (valid + 1, invalid) : (valid, invalid + 1);
            if (isValid != item.ShouldValidate)
                disagreements.Add($"{item.Name} should {(item.ShouldValidate ? "" : "not ")}validate\n  {string.Join("\n  ", issues)}");
        }
        TestContext.Out.WriteLine($"{valid} valid and {invalid} invalid policy sets of {corpus}{how}");
        Assert.That(disagreements, Is.Empty);
        Assert.That(valid + invalid, Is.EqualTo(corpus.Cases));
    }

    [Test]
    public void Reads_back_every_policy_as_it_wrote_it()
    {
        foreach (var policy in corpus.Read().SelectMany(c => c.Policies.Policies))
        {
            var again = PolicySet.Parse(policy.ToString()).OrThrow();
            Assert.That(again.Policies.Single().ToString(), Is.EqualTo(policy.ToString()));
        }
    }
}
