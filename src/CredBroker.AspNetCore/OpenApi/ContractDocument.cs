using CredBroker.AspNetCore.Errors;
using CredBroker.Contracts;
using Google.Protobuf.Reflection;
using Microsoft.OpenApi;

namespace CredBroker.AspNetCore.OpenApi;

/// <summary>The OpenAPI document of the contract, made from its descriptors: the comments are its texts, the rules its limits.</summary>
public static class ContractDocument
{
    private static readonly Lazy<Task<string>> Text = new(() => Build().SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1));

    /// <summary>The document as JSON.</summary>
    public static Task<string> JsonAsync() => Text.Value;

    private static OpenApiDocument Build()
    {
        var document = new OpenApiDocument
        {
            Info = new OpenApiInfo
            {
                Title = "CredBroker",
                Version = "v1",
                Description = "Credentials for one task each, dead when the task ends. The same API as gRPC's `credbroker.v1`.",
            },
            Paths = [],
            Components = new OpenApiComponents { Schemas = new Dictionary<string, IOpenApiSchema>(), Responses = new Dictionary<string, IOpenApiResponse>() },
            Tags = new HashSet<OpenApiTag>(),
        };
        AddSecurity(document);
        var schemas = new MessageSchemas(document);
        AddErrors(document, schemas);
        foreach (var service in ContractDescriptors.Commented.SelectMany(file => file.Services))
        {
            document.Tags.Add(new OpenApiTag { Name = service.Name, Description = Comments.Of(service.Declaration) });
            foreach (var method in service.Methods) MethodOperation.Add(document, schemas, service, method);
        }

        return document;
    }

    private static void AddSecurity(OpenApiDocument document)
    {
        document.AddComponent("workload", (IOpenApiSecurityScheme)new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            BearerFormat = "JWT",
            Description = "A token of an identity source that the broker trusts. The broker issues none itself.",
        });
        document.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference("workload", document)] = [] }];
    }

    private static void AddErrors(OpenApiDocument document, MessageSchemas schemas)
    {
        document.AddComponent("Error", (IOpenApiSchema)new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Description = "A google.rpc.Status. Its details hold a google.rpc.ErrorInfo with one of the reasons in docs/errors.md.",
            Properties = new Dictionary<string, IOpenApiSchema>
            {
                ["code"] = new OpenApiSchema { Type = JsonSchemaType.Integer, Description = "The gRPC status code." },
                ["message"] = new OpenApiSchema { Type = JsonSchemaType.String, Description = "For people." },
                ["details"] = new OpenApiSchema
                {
                    Type = JsonSchemaType.Array,
                    Items = new OpenApiSchema
                    {
                        Type = JsonSchemaType.Object,
                        Required = new HashSet<string> { "@type" },
                        Properties = new Dictionary<string, IOpenApiSchema>
                        {
                            ["@type"] = new OpenApiSchema { Type = JsonSchemaType.String },
                            ["reason"] = new OpenApiSchema
                            {
                                Type = JsonSchemaType.String,
                                Description = "Of an ErrorInfo.",
                                Enum = [.. ErrorReasons.All.Select(definition => (System.Text.Json.Nodes.JsonNode)definition.Name)],
                            },
                        },
                    },
                },
            },
        });
        document.AddComponent("Error", (IOpenApiResponse)new OpenApiResponse
        {
            Description = "Refused, or failed.",
            Content = new Dictionary<string, IOpenApiMediaType> { ["application/json"] = new OpenApiMediaType { Schema = schemas.Reference("Error") } },
        });
    }
}

/// <summary>The contract's comments as texts.</summary>
internal static class Comments
{
    public static string Of(DescriptorDeclaration? declaration) =>
        declaration is null ? "" : string.Join('\n', declaration.LeadingComments.Split('\n').Select(line => line.StartsWith(' ') ? line[1..] : line)).Trim();
}
