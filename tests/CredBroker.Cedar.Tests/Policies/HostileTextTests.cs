namespace CredBroker.Cedar.Tests.Policies;

/// <summary>Texts that are made to break a parser: each is refused with an error, on a small stack, in bounded time.</summary>
internal sealed class HostileTextTests
{
    private const int Million = 1_000_000;

    private static IEnumerable<TestCaseData> Texts()
    {
        yield return Case("brackets", "permit(principal, action, resource) when { " + new string('(', Million));
        yield return Case("sets", "permit(principal, action, resource) when { " + new string('[', Million));
        yield return Case("records", "permit(principal, action, resource) when { " + Repeat("{a:", 300_000));
        yield return Case("ifs", "permit(principal, action, resource) when { " + Repeat("if ", 300_000));
        yield return Case("elses", "permit(principal, action, resource) when { " + Repeat("if true then 1 else ", 40_000));
        yield return Case("nots", "permit(principal, action, resource) when { " + new string('!', Million));
        yield return Case("accesses", "permit(principal, action, resource) when { principal" + Repeat(".a", 400_000) + " };");
        yield return Case("paths", "permit(principal, action, resource) when { principal has a" + Repeat(".a", 400_000) + " };");
        yield return Case("sums", "permit(principal, action, resource) when { 1" + Repeat("+1", 400_000) + " == 1 };");
        yield return Case("semicolons", new string(';', Million));
        yield return Case("quotes", new string('"', Million - 1));
        yield return Case("annotations", Repeat("@a ", 300_000));
        yield return Case("different annotations", string.Concat(Enumerable.Range(0, 300_000).Select(i => $"@a{i} ")));
        yield return Case("different attributes", $"permit(principal, action, resource) when {{ {{{string.Concat(Enumerable.Range(0, 200_000).Select(i => $"a{i}: 1, "))}");
        yield return Case("controls", new string('\u0001', Million));
        yield return Case("NUL", "permit(principal, action, resource)\0;");
        yield return Case("bidi", "permit(principal, action, resource) when { \u202Etrue };");
        yield return Case("too long", new string(' ', TextLimits.MaxLength + 1));
    }

    [TestCaseSource(nameof(Texts))]
    [CancelAfter(20_000)]
    public void Is_refused(string text)
    {
        var count = 0;
        SmallStack.Run(() => count = PolicySet.Parse(text).Errors.Length);
        Assert.That(count, Is.InRange(1, TextLimits.MaxErrors));
    }

    [Test]
    public void Long_chains_are_not_deep()
    {
        var chain = PolicySet.Parse("permit(principal, action, resource) when { true" + Repeat(" && true", 50_000) + Repeat(" || false", 50_000) + " };").OrThrow();
        var uid = new EntityUid("A", "");
        SmallStack.Run(() => Assert.That(new Authorizer(chain).IsAuthorized(new Request(uid, uid, uid, CedarRecord.Empty), EntityStore.Empty).IsCleanAllow, Is.True));
    }

    [Test]
    public void The_deepest_accepted_expression_is_evaluated_and_validated_on_a_small_stack()
    {
        var schema = Schema.Parse("entity A; action a appliesTo { principal: A, resource: A };").OrThrow();
        var deep = PolicySet.Parse("permit(principal, action, resource) when { 1" + Repeat("+1", TextLimits.MaxDepth - 3) + " == 1 };").OrThrow();
        var nested = PolicySet.Parse("permit(principal, action, resource) when { " + new string('(', TextLimits.MaxNesting - 1) + "true" + new string(')', TextLimits.MaxNesting - 1) + " };").OrThrow();
        var uid = new EntityUid("A", "");
        SmallStack.Run(() =>
        {
            foreach (var set in new[] { deep, nested })
            {
                new Authorizer(set).IsAuthorized(new Request(uid, uid, uid, CedarRecord.Empty), EntityStore.Empty);
                Assert.That(new Validator(schema).Validate(set), Is.Empty);
                Assert.That(PolicyReads.PathsOf(set.Policies[0]), Is.Empty);
            }
        });
    }

    [TestCase("entity A { a: ")]
    [TestCase("type T = ")]
    public void Nested_schemas_are_refused(string start)
    {
        SmallStack.Run(() => Assert.That(Schema.Parse(start + Repeat("Set<", 200_000)).Errors, Is.Not.Empty));
        SmallStack.Run(() => Assert.That(Schema.Parse(start + Repeat("{a:", 300_000)).Errors, Is.Not.Empty));
    }

    [Test]
    public void Schemas_that_grow_when_they_are_worked_out_are_refused()
    {
        var chain = string.Concat(Enumerable.Range(0, 50_000).Select(i => $"entity A{i} in [A{i + 1}];")) + "entity A50000;";
        var names = string.Join(", ", Enumerable.Range(0, 3_000).Select(i => $"A{i}"));
        var product = $"entity {names}; action a appliesTo {{ principal: [{names}], resource: [{names}] }};";
        var spaces = string.Concat(Enumerable.Range(0, 50_000).Select(i => $"namespace N{i} {{}}")) + "namespace N1 {}";
        SmallStack.Run(() => Assert.That(Schema.Parse(chain).Errors.Single().Message, Does.Contain("ancestors")));
        SmallStack.Run(() => Assert.That(Schema.Parse(product).Errors.Single().Message, Does.Contain("kinds of request")));
        SmallStack.Run(() => Assert.That(Schema.Parse(spaces).Errors.Single().Message, Does.Contain("twice")));
    }

    [Test]
    public void Types_that_grow_by_reference_are_refused()
    {
        var chain = string.Concat(Enumerable.Range(0, 5_000).Select(i => $"type T{i} = {{ a: T{i + 1} }};")) + "type T5000 = Long;";
        var doubling = string.Concat(Enumerable.Range(0, 60).Select(i => $"type T{i} = {{ a: T{i + 1}, b: T{i + 1} }};")) + "type T60 = Long;";
        SmallStack.Run(() => Assert.That(Schema.Parse(chain).Errors, Is.Not.Empty));
        SmallStack.Run(() => Assert.That(Schema.Parse(doubling).Errors, Is.Not.Empty));
    }

    [Test]
    public void Errors_never_carry_what_a_terminal_obeys()
    {
        var errors = PolicySet.Parse("permit(principal, action, resource) when { \u001b[2J \u202e };").Errors;
        Assert.That(errors.SelectMany(e => e.Message), Has.None.Matches<char>(c => char.IsControl(c) || c == '\u202e'));
    }

    private static TestCaseData Case(string name, string text) => new TestCaseData(text).SetArgDisplayNames(name);

    private static string Repeat(string text, int times) => string.Concat(Enumerable.Repeat(text, times));
}
