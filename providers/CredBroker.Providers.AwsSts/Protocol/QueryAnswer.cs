using System.Xml.Linq;
using CredBroker.Abstractions;

namespace CredBroker.Providers.AwsSts.Protocol;

/// <summary>What a service answered.</summary>
/// <param name="Now">Its own clock, from the answer's Date header; ours where there was none.</param>
internal abstract record QueryAnswer(DateTimeOffset Now)
{
    /// <summary>It did what was asked.</summary>
    /// <param name="Result">The result element, or the whole answer where there is none.</param>
    /// <param name="Now">Its own clock.</param>
    public sealed record Done(XElement Result, DateTimeOffset Now) : QueryAnswer(Now);

    /// <summary>It said no, in its own form.</summary>
    /// <param name="Code">The error's code, without the suffix that some services and SDKs add.</param>
    /// <param name="Message">The error's message, cut and without control characters.</param>
    /// <param name="Status">The HTTP status.</param>
    /// <param name="Now">Its own clock.</param>
    /// <param name="RetryAfter">How long it asked to wait, if it did.</param>
    public sealed record Refused(string Code, string Message, int Status, DateTimeOffset Now, TimeSpan? RetryAfter) : QueryAnswer(Now)
    {
        /// <summary>What the broker makes of it.</summary>
        public ProviderException ToException() => Faults.Of(this);
    }

    /// <summary>The result, where only that will do.</summary>
    /// <exception cref="ProviderException">It was refused.</exception>
    public Done Require() => this switch
    {
        Done done => done,
        Refused refused => throw refused.ToException(),
        _ => throw new InvalidOperationException("The answer is neither of the two."),
    };

    /// <summary>The result; null where what was asked for is not there.</summary>
    /// <exception cref="ProviderException">It was refused for another reason.</exception>
    public Done? RequireUnlessAbsent() => this is Refused { Code: "NoSuchEntity", Status: 404 } ? null : Require();
}
