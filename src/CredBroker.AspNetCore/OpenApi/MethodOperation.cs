using System.Text.RegularExpressions;
using CredBroker.Contracts;
using Google.Api;
using Google.Protobuf.Reflection;
using Microsoft.OpenApi;

namespace CredBroker.AspNetCore.OpenApi;

/// <summary>One method as an operation: its path, its query, its body and its answers.</summary>
internal static partial class MethodOperation
{
    public static void Add(OpenApiDocument document, MessageSchemas schemas, ServiceDescriptor service, MethodDescriptor method)
    {
        var rule = ContractDescriptors.HttpRuleOf(method)!;
        var (verb, template) = rule.PatternCase switch
        {
            HttpRule.PatternOneofCase.Get => (HttpMethod.Get, rule.Get),
            HttpRule.PatternOneofCase.Patch => (HttpMethod.Patch, rule.Patch),
            HttpRule.PatternOneofCase.Delete => (HttpMethod.Delete, rule.Delete),
            _ => (HttpMethod.Post, rule.Post),
        };
        var operation = new OpenApiOperation
        {
            OperationId = method.Name,
            Tags = new HashSet<OpenApiTagReference> { new(service.Name, document) },
            Description = Comments.Of(method.Declaration),
            Parameters = [],
            Responses = [],
        };
        var path = AddPath(operation, template, out var pathField);
        AddQuery(operation, schemas, method, rule.Body, pathField);
        AddBody(operation, schemas, method, rule.Body);
        AddResponses(operation, schemas, document, method);
        if (!document.Paths.TryGetValue(path, out var item)) document.Paths[path] = item = new OpenApiPathItem();
        ((OpenApiPathItem)item).AddOperation(verb, operation);
    }

    // `{name=tasks/*/leases/*}` becomes `tasks/{task}/leases/{lease}`: OpenAPI's parameters can't hold a slash.
    private static string AddPath(OpenApiOperation operation, string template, out string? field)
    {
        var match = Variable().Match(template);
        field = match.Success ? match.Groups["field"].Value : null;
        if (!match.Success) return template;
        var collection = "";
        var segments = match.Groups["pattern"].Value.Split('/').Select(segment =>
        {
            if (segment != "*")
            {
                collection = segment;
                return segment;
            }

            var id = Singular(collection);
            operation.Parameters!.Add(new OpenApiParameter
            {
                Name = id,
                In = ParameterLocation.Path,
                Required = true,
                Description = $"The last part of `{collection}/{{{id}}}`.",
                Schema = new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = 63 },
            });
            return $"{{{id}}}";
        });
        return string.Concat(template.AsSpan(0, match.Index), string.Join('/', segments.ToList()), template.AsSpan(match.Index + match.Length));
    }

    private static void AddQuery(OpenApiOperation operation, MessageSchemas schemas, MethodDescriptor method, string body, string? pathField)
    {
        if (body == "*") return;
        foreach (var field in method.InputType.Fields.InDeclarationOrder().Where(field => field.Name != body && field.Name != pathField))
        {
            operation.Parameters!.Add(new OpenApiParameter
            {
                Name = field.JsonName,
                In = ParameterLocation.Query,
                Required = ContractDescriptors.RulesOf(field)?.Required ?? false,
                Description = Comments.Of(field.Declaration),
                Schema = schemas.OfField(field, described: false),
            });
        }
    }

    private static void AddBody(OpenApiOperation operation, MessageSchemas schemas, MethodDescriptor method, string body)
    {
        if (body.Length == 0) return;
        var message = body == "*" ? method.InputType : method.InputType.FindFieldByName(body).MessageType;
        operation.RequestBody = new OpenApiRequestBody
        {
            Required = true,
            Content = new Dictionary<string, IOpenApiMediaType> { ["application/json"] = new OpenApiMediaType { Schema = schemas.OfMessage(message) } },
        };
    }

    private static void AddResponses(OpenApiOperation operation, MessageSchemas schemas, OpenApiDocument document, MethodDescriptor method)
    {
        const string Type = "application/json";
        operation.Responses!["200"] = new OpenApiResponse
        {
            Description = method.IsServerStreaming ? "Messages, one a line (newline-delimited JSON), as they come." : "Done.",
            Content = new Dictionary<string, IOpenApiMediaType> { [Type] = new OpenApiMediaType { Schema = schemas.OfMessage(method.OutputType) } },
        };
        operation.Responses["default"] = new OpenApiResponseReference("Error", document);
    }

    private static string Singular(string collection) => collection switch
    {
        "policySets" => "policySet",
        "identitySources" => "identitySource",
        _ => collection.EndsWith('s') ? collection[..^1] : collection,
    };

    [GeneratedRegex(@"\{(?<field>[a-z_.]+)=(?<pattern>[^}]+)\}", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Variable();
}
