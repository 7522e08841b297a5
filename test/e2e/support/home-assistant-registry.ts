/** What the registries answer, as far as tests look at it. */
export interface RegistryDevice {
  readonly id: string;
  readonly identifiers: readonly (readonly [domain: string, id: string])[];
  readonly name: string | null;
  readonly name_by_user: string | null;
  readonly manufacturer: string | null;
  readonly model: string | null;
  readonly serial_number: string | null;
  readonly hw_version: string | null;
  readonly sw_version: string | null;
  readonly configuration_url: string | null;
  readonly via_device_id: string | null;
}

export interface RegistryEntity {
  readonly entity_id: string;
  readonly unique_id: string;
  readonly platform: string;
  readonly device_id: string | null;
  readonly disabled_by: string | null;
  readonly hidden_by: string | null;
  readonly entity_category: string | null;
  readonly has_entity_name: boolean;
  readonly name: string | null;
  readonly original_name: string | null;
  readonly translation_key: string | null;
  readonly icon: string | null;
  readonly options: Readonly<Record<string, unknown>>;
}

/** What only the question for one entity answers. */
export interface RegistryEntityDetail extends RegistryEntity {
  readonly capabilities: Readonly<Record<string, unknown>> | null;
  readonly device_class: string | null;
  readonly original_device_class: string | null;
  readonly original_icon: string | null;
}
