using System.Net;
using CredBroker.Cli.Hosting;
using CredBroker.Manifests;
using CredBroker.Policies;

namespace CredBroker.Cli.PolicyTools;

/// <summary>A request that is put together on the command line: as a table with one row would say it.</summary>
internal sealed record AdHoc
{
    public required string Principal { get; init; }

    public required string Action { get; init; }

    public string? Role { get; init; }

    public required Dictionary<string, string> Attributes { get; init; }

    public required IReadOnlyList<string> Teams { get; init; }

    public required Dictionary<string, string> Parameters { get; init; }

    public required Dictionary<string, string> Labels { get; init; }

    public string Sensitivity { get; init; } = "";

    public string Environment { get; init; } = "";

    public string Revocability { get; init; } = RevocabilityNames.All[0];

    public string Audience { get; init; } = "";

    public TimeSpan? Ttl { get; init; }

    public DateTimeOffset Now { get; init; }

    public IPAddress SourceIp { get; init; } = IPAddress.Loopback;

    public Question ToQuestion()
    {
        if (Principal.Split('/', 2) is not [{ Length: > 0 } source, { Length: > 0 } subject]) throw new CliException(ExitCodes.Usage, $"'{Principal}' is no workload: write source/subject.");
        var given = new Given { Now = Now, SourceIp = SourceIp };
        given.Sources[source] = new SourceFacts { Name = source, Environment = Environment };
        given.Workloads["who"] = new WorkloadFacts
        {
            Source = source,
            Subject = subject,
            Environment = Environment,
            Attributes = GivenReader.Attributes(source, Attributes),
            Teams = GivenReader.Teams(source, Teams),
        };
        given.Tasks["task"] = new GivenTask(new TaskFacts { Id = "task", Opener = Principal, Performer = Principal, Labels = Labels }, "who", Parent: null);
        return TestQuestions.LineOf(ToTest(given), given).First();
    }

    private PolicyTest ToTest(Given given) => new()
    {
        Name = "the command line",
        Mark = new SourceMark("", 0, 0),
        Action = Action,
        Who = given.Workloads["who"],
        Task = Action == "audit" ? null : given.Tasks["task"],
        Role = Action is "issue" or "renew" ? RoleFacts() : null,
        Parameters = Parameters,
        Audience = Audience,
        Ttl = Ttl ?? TimeSpan.FromMinutes(15),
        Now = Now,
        SourceIp = SourceIp,
    };

    private RoleFacts RoleFacts()
    {
        if (Role?.Split('/') is not [{ Length: > 0 } provider, { Length: > 0 } role]) throw new CliException(ExitCodes.Usage, $"{Action} is about a role: --role provider/role.");
        return new RoleFacts
        {
            Provider = new ProviderFacts { Name = provider, Environment = Environment },
            Name = role,
            Sensitivity = Sensitivity,
            Revocability = Revocability,
        };
    }
}
