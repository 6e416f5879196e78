using CredBroker.Abstractions;
using CredBroker.Cedar;
using CredBroker.Core.Audit;
using CredBroker.Core.Erasure;
using CredBroker.Core.Policies;
using CredBroker.Core.Registry;
using CredBroker.Core.Tasks;
using static CredBroker.TestSupport.Harness.BrokerHarness;
using Decision = CredBroker.Core.Policies.Decision;

namespace CredBroker.Core.Tests.Engine;

/// <summary>What was asked is kept so that it can be asked again: whole, bounded, erasable, and for auditors alone.</summary>
public sealed class RecordedQuestionTests : EngineTests
{
    private const string Words = "reset Anna's password";
    private static readonly CancellationToken None = CancellationToken.None;

    [Test]
    public async Task What_is_read_back_is_what_was_asked_and_fits_the_schema()
    {
        var (decider, schema) = (Broker.Get<Decider>(), Broker.Get<PolicySchema>());
        var validator = new Validator(schema.Schema);
        var book = Broker.Get<Catalog>().Current.Policies;
        string[] hostile = ["", "orders", "\"x\\", "'; DROP", "a\u0000b", "\u202esredro", "{\"__entity\": 1}", "9223372036854775807", new('a', 1_000)];
        var asked = await IssueQuestionAsync();
        foreach (var text in hostile)
        {
            var decision = decider.Issue(asked with
            {
                Parameters = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["table"] = text, [text] = "1" },
                DeclaredDestination = text,
                Task = asked.Task with { Intent = new Intent(text, text, "", new Dictionary<string, string> { [text] = text }) },
                Counters = new LeaseCounts(long.MaxValue, 0, 1, 2),
                ParentDeadline = asked.Task.Deadline,
            });
            var line = Read(decision.ToAudit(asked.Caller.Actor, asked.Task.Id));
            Assert.That(line.Questions.Single().Hash(), Is.EqualTo(decision.InputHash), text);
            Assert.That(line.Ask(book, schema)!.Verdict.Allowed, Is.EqualTo(decision.Allowed), text);
            Assert.That(validator.Validate(line.Questions[0].ToRequest()), Is.Empty, text);
            Assert.That(validator.Validate(line.Questions[0].ToStore(schema.Common)), Is.Empty, text);
        }
    }

    [Test]
    public async Task A_line_for_tasks_above_is_kept_whole_even_where_the_first_is_refused()
    {
        var asked = await IssueQuestionAsync();
        var above = asked.Task with { Id = Uid.New(Broker.Time) };
        var decision = Broker.Get<Decider>().Issue(asked with { Ancestors = [(above, asked.Caller.Workload)], Action = "renew", Exists = false });
        var line = Read(decision.ToAudit(asked.Caller.Actor, asked.Task.Id));
        Assert.That(line.Questions.Select(question => question.OnBehalfOf), Is.EqualTo(new[] { null, above.Id.ToString() }));
        Assert.That(line.OfNothing);
        Assert.That(line.Ask(Broker.Get<Catalog>().Current.Policies, Broker.Get<PolicySchema>())!.Verdict.Allowed, Is.False, "a role that is not there is denied again");
    }

    [Test]
    public async Task Without_a_task_nobodys_words_are_kept_and_policies_that_read_them_are_not_guessed_at()
    {
        var asked = await IssueQuestionAsync();
        var decision = Broker.Get<Decider>().CreateTask(asked.Caller, asked.Task with { Intent = new Intent(Words, Words, Words, new Dictionary<string, string> { [Words] = Words }) }, null);
        var text = decision.ToAudit(asked.Caller.Actor, null).Texts[Decision.QuestionText];
        Assert.That(text, Does.Not.Contain("Anna"));
        var line = RecordedLine.Read(text)!;
        var schema = Broker.Get<PolicySchema>();
        Assert.That(line.Ask(Book("permit (principal, action == Action::\"createTask\", resource);"), schema)!.Verdict.Allowed);
        Assert.That(line.Ask(Book("forbid (principal, action, resource) when { context has task && context.task.intent.what == \"\" };"), schema), Is.Null);
    }

    [Test]
    public async Task What_is_too_much_is_not_kept_and_what_is_no_recording_is_not_read()
    {
        var asked = await IssueQuestionAsync();
        var large = Enumerable.Range(0, 50).ToDictionary(number => $"a{number}", _ => new string('x', 1_000));
        var decision = Broker.Get<Decider>().Issue(asked with { Parameters = new SortedDictionary<string, string>(large, StringComparer.Ordinal) });
        Assert.That(decision.ToAudit(asked.Caller.Actor, asked.Task.Id).Texts, Is.Empty);
        foreach (var wrong in new[] { "", "[]", "{}", "{\"version\":2}", "{\"version\":1}", "{\"version\":1,\"questions\":[{}]}", "{\"version\":1,\"questions\":[1]}" })
            Assert.That(RecordedLine.Read(wrong), Is.Null, wrong);
    }

    [Test]
    public async Task Auditors_read_it_owners_do_not_and_it_is_erased_with_the_tasks_texts()
    {
        var caller = await Broker.CallerAsync();
        var task = await Broker.TaskAsync(caller);
        var log = Broker.Get<IAuditLog>();
        var query = new AuditQuery { Task = task.Id, Types = [AuditTypes.Decision] };
        async Task<IReadOnlyDictionary<string, string>> KeptAsync() => (await log.ListAsync(query, new PageRequest(10, null), None)).Items[0].Draft.Texts;
        Assert.That((await KeptAsync())[Decision.QuestionText], Does.Contain("\"createTask\""));

        var seen = Ok(await Broker.Get<AuditService>().ListAsync(caller, query, new PageRequest(10, null), None)).Items;
        Assert.That(seen.SelectMany(shown => shown.Draft.Texts), Is.Empty, "an owner sees what was decided, and not on what");
        Assert.That(seen[0].Draft.Detail.ContainsKey("question_sha256"), Is.False);

        Ok(await Broker.Get<TaskService>().EndAsync(caller, task.Id, TaskOutcome.Succeeded, None));
        await Broker.Get<IErasureStore>().EraseAsync(task.Id, caller.Actor, None);
        Assert.That(await KeptAsync(), Is.Empty);
    }

    private static RecordedLine Read(AuditDraft draft) => RecordedLine.Read(draft.Texts[Decision.QuestionText])!;

    private static PolicyBook Book(string text) => new([new CompiledPolicySet(new PolicySetDefinition { Name = "a", Text = text }, PolicySet.Parse(text).OrThrow())]);
}
