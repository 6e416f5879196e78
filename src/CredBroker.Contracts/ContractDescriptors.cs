using CredBroker.Contracts.V1;
using Google.Api;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace CredBroker.Contracts;

/// <summary>The contract's descriptors.</summary>
public static class ContractDescriptors
{
    private static readonly Lazy<IReadOnlyList<FileDescriptor>> CommentedFiles = new(Load);

    /// <summary>The files of the contract as generated code has them: fast, without comments.</summary>
    public static IReadOnlyList<FileDescriptor> Files { get; } =
    [
        AuditEventsReflection.Descriptor, DecisionsReflection.Descriptor, ErrorsReflection.Descriptor, HooksReflection.Descriptor,
        IdentitySourcesReflection.Descriptor, LeasesReflection.Descriptor, PolicySetsReflection.Descriptor, ProviderTypesReflection.Descriptor,
        ProvidersReflection.Descriptor, ReceiptsReflection.Descriptor, RolesReflection.Descriptor, SuspensionsReflection.Descriptor,
        TasksReflection.Descriptor, WorkloadsReflection.Descriptor,
    ];

    /// <summary>The same files with their comments, and common.proto and rules.proto: for documentation.</summary>
    public static IReadOnlyList<FileDescriptor> Commented => CommentedFiles.Value;

    /// <summary>A field's rules; null when it has none.</summary>
    public static Rules? RulesOf(FieldDescriptor field) => field.GetOptions()?.GetExtension(RulesExtensions.Rules);

    /// <summary>Whether requests may not set the field: what they set is ignored.</summary>
    public static bool IsOutputOnly(FieldDescriptor field) => Behaves(field, FieldBehavior.OutputOnly);

    /// <summary>Whether the field cannot be changed after creation.</summary>
    public static bool IsImmutable(FieldDescriptor field) => Behaves(field, FieldBehavior.Immutable) || Behaves(field, FieldBehavior.Identifier);

    /// <summary>How a method is called by REST.</summary>
    public static HttpRule? HttpRuleOf(MethodDescriptor method) => method.GetOptions()?.GetExtension(AnnotationsExtensions.Http);

    private static bool Behaves(FieldDescriptor field, FieldBehavior behavior) =>
        field.GetOptions()?.GetExtension(FieldBehaviorExtensions.FieldBehavior)?.Contains(behavior) ?? false;

    private static IReadOnlyList<FileDescriptor> Load()
    {
        using var stream = typeof(ContractDescriptors).Assembly.GetManifestResourceStream("credbroker.v1.protoset")
            ?? throw new InvalidOperationException("The descriptor set is not embedded in the contracts assembly.");
        var extensions = new ExtensionRegistry { RulesExtensions.Rules, AnnotationsExtensions.Http, FieldBehaviorExtensions.FieldBehavior };
        var set = FileDescriptorSet.Parser.ParseFrom(stream);
        return
        [
            .. FileDescriptor.BuildFromByteStrings(set.File.Select(file => file.ToByteString()), extensions)
                .Where(file => file.Package == "credbroker.v1")
                .OrderBy(file => file.Name, StringComparer.Ordinal),
        ];
    }
}
