using System.Text;
using CredBroker.AspNetCore.Errors;
using CredBroker.Contracts;

namespace CredBroker.Server.Tests.Transport;

/// <summary>The documentation of the errors, made from the contract's comments and the catalogue.</summary>
internal static class ErrorDocument
{
    private const string Intro = """
        # Errors

        Every refusal, on both transports, is a [`google.rpc.Status`](https://google.aip.dev/193). Its details hold

        - an `ErrorInfo` with the `reason` of the table and the domain `credbroker`,
        - a `BadRequest` with **all** fields that are wrong, where fields are wrong,
        - a `RetryInfo` where waiting helps (REST sends `Retry-After` too),
        - a `ResourceInfo` where a resource is missing.

        gRPC carries it in the trailer `grpc-status-details-bin`, REST as the body:

        ```json
        {
          "code": 3,
          "message": "The request breaks the contract's rules: task.intent.what: It is required.",
          "details": [
            { "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "FIELDS_INVALID", "domain": "credbroker" },
            { "@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [ { "field": "task.intent.what", "description": "It is required." } ] }
          ]
        }
        ```

        Branch on `reason`, never on the message. Fields are named as on the transport: `for_whom` by gRPC, `forWhom` by REST.
        What you may not see is answered as if it weren't there. A message never repeats a value that was sent.

        | reason | gRPC | HTTP | meaning | what to do |
        |---|---|---|---|---|

        """;

    public static string Render()
    {
        var comments = ContractDescriptors.Commented.SelectMany(file => file.EnumTypes).Single(e => e.Name == "ErrorReason").Values
            .ToDictionary(value => value.Name, value => Meaning(value.Declaration.LeadingComments));
        var table = new StringBuilder(Intro.ReplaceLineEndings("\n"));
        foreach (var definition in ErrorReasons.All)
            table.Append($"| `{definition.Name}` | {definition.Code} | {definition.Http} | {comments[definition.Name]} | {definition.Remedy} |\n");
        return table.ToString();
    }

    // The comment begins with the HTTP code, which has a column of its own.
    private static string Meaning(string comment)
    {
        var text = string.Join(' ', comment.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
        var meaning = text[(text.IndexOf(": ", StringComparison.Ordinal) + 2)..];
        return char.ToUpperInvariant(meaning[0]) + meaning[1..];
    }
}
